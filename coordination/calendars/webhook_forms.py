"""What people choose for a webhook; one verb follows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.calendars.forms import SelectionForm
from coordination.calendars.webhook_owners import owner_of_alliance, owner_of_viewer
from coordination.calendars.webhooks import kind_in_words, news_kinds
from coordination.deliveries.models import Subscription
from coordination.deliveries.subscribing import NAME_LENGTH


class WebhookForm(SelectionForm):
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
    kinds = forms.MultipleChoiceField(
        label=_("kinds of news"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a choice all of them; whoever keeps a copy needs all of them."),
    )
    field_order = ["version", "name", "url", "owner", "what", "alliance", "plan"]
    everything = _("all events that the owner may see")

    def __init__(
        self, *args: Any, viewer: Viewer, webhook: Subscription | None = None, **options: Any
    ) -> None:
        kept = webhook.filters if webhook is not None else None
        super().__init__(*args, viewer=viewer, kept=kept, **options)
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
            **cls.initial_filters(webhook.filters),
            "kinds": webhook.kinds,
        }

    def values(self) -> dict[str, Any]:
        """Return what was chosen."""
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "url": chosen["url"],
            "filters": self.filters(),
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
