"""What people choose for a webhook; one verb follows."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Plan
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.calendars.forms import EVERYTHING
from coordination.calendars.selecting import MINE
from coordination.calendars.webhook_owners import owner_of_alliance, owner_of_viewer
from coordination.calendars.webhooks import kind_in_words, news_kinds
from coordination.deliveries.models import Subscription
from coordination.deliveries.subscribing import NAME_LENGTH
from coordination.pages.forms import RowChoice, VerbForm


class WebhookForm(VerbForm):
    """A webhook: where it leads, and what it hears of."""

    name = forms.CharField(label=_("name"), max_length=NAME_LENGTH)
    url = forms.CharField(
        label=_("address"),
        max_length=500,
        widget=forms.URLInput,
        help_text=_("Where your program listens, https://…"),
    )
    owner = forms.ChoiceField(
        label=_("belongs to"),
        help_text=_("It hears of what its owner may see; whoever acts for the owner keeps it."),
    )
    what = forms.ChoiceField(
        label=_("events"),
        choices=[
            (EVERYTHING, _("all events that the owner may see")),
            (MINE, _("what my organizations host or are named in")),
        ],
        initial=EVERYTHING,
        widget=forms.RadioSelect,
    )
    alliance = RowChoice(
        Alliance.objects.none(),
        label=_("only of the alliance"),
        required=False,
        to_field_name="slug",
    )
    plan = RowChoice(
        Plan.objects.none(), label=_("only of the plan"), required=False, to_field_name="uid"
    )
    kinds = forms.MultipleChoiceField(
        label=_("kinds of news"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a choice all of them; whoever keeps a copy needs all of them."),
    )
    field_names: ClassVar = {
        "filters.alliance": "alliance",
        "filters.plan": "plan",
        "filters.mine": "what",
    }

    def __init__(
        self, *args: Any, viewer: Viewer, webhook: Subscription | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.kept = dict(webhook.filters) if webhook is not None else {}
        alliances = Alliance.objects.visible_to(viewer).order_by("pk")
        plans = Plan.objects.visible_to(viewer).order_by("-year", "pk")
        self.offer_rows(viewer.language, alliance=alliances, plan=plans)
        kinds: Any = self.fields["kinds"]
        kinds.choices = [(kind, kind_in_words(kind, viewer.language)) for kind in news_kinds()]
        if webhook is not None:
            del self.fields["owner"]
            return
        owner: Any = self.fields["owner"]
        owner.choices = owners_in_words(viewer)

    @classmethod
    def initial_of(cls, webhook: Subscription) -> dict[str, Any]:
        """Return what the form shows of a webhook."""
        return {
            "version": webhook.version,
            "name": webhook.endpoint.name,
            "url": webhook.endpoint.address,
            "what": MINE if MINE in webhook.filters else EVERYTHING,
            "alliance": webhook.filters.get("alliance"),
            "plan": webhook.filters.get("plan"),
            "kinds": webhook.kinds,
        }

    def values(self) -> dict[str, Any]:
        """Return what was chosen; filters that the form does not show stay."""
        chosen = self.cleaned_data
        own = ("alliance", "plan", MINE)
        filters = {name: value for name, value in self.kept.items() if name not in own}
        if chosen["what"] == MINE:
            filters[MINE] = "1"
        if chosen["alliance"]:
            filters["alliance"] = chosen["alliance"].slug
        if chosen["plan"]:
            filters["plan"] = str(chosen["plan"].uid)
        return {
            "name": chosen["name"],
            "url": chosen["url"],
            "filters": filters,
            "kinds": chosen["kinds"],
        }


def owners_in_words(viewer: Viewer) -> list[tuple[str, str]]:
    """Return the owners that a webhook of the viewer's may have: key and words."""
    staffed = Alliance.objects.filter(pk__in=viewer.pks("secretariat", "alliance"))
    offices = [
        (
            owner_of_alliance(each),
            _("the secretariat of %(alliance)s")
            % {"alliance": localized(each, "name", viewer.language)},
        )
        for each in staffed.order_by("pk")
    ]
    return [(owner_of_viewer(viewer), str(_("myself"))), *offices]
