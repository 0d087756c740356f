"""Forms about how one is told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.deliveries.models import Wishes
from coordination.deliveries.news import PERSONAL_CHANNELS, STOPPABLE, News
from coordination.deliveries.personal import Digest
from coordination.deliveries.wishing import MUST_COME
from coordination.pages.forms import VerbForm

CHANNEL_CHOICES = (("email", _("mail")), ("inbox", _("inbox on these pages")))
QUIET_TIMES = [("", _("no quiet hours"))] + [
    (f"{hour:02d}:{minute:02d}", f"{hour:02d}:{minute:02d}")
    for hour in range(24)
    for minute in (0, 30)
]


class WishesForm(VerbForm):
    def __init__(self, *args: Any, wishes: Wishes, **options: Any) -> None:
        super().__init__(*args, **options)
        for news in News:
            self.fields[news.value] = forms.MultipleChoiceField(
                label=news.label,
                choices=CHANNEL_CHOICES,
                initial=[name for name in PERSONAL_CHANNELS if wishes.takes(news, name)],
                widget=forms.CheckboxSelectMultiple,
                required=news not in STOPPABLE,
                error_messages={"required": MUST_COME},
                help_text=""
                if news in STOPPABLE
                else _("They ask something of you: at least one way stays chosen."),
            )
        self.fields["digest"] = forms.ChoiceField(
            label=_("Mails"), choices=Digest.choices, initial=wishes.digest
        )
        self.fields["quiet_from"] = _time(_("No mail from"), wishes.quiet_from)
        self.fields["quiet_until"] = _time(_("No mail until"), wishes.quiet_until)
        self.fields["quiet_until"].help_text = _(
            "On your clock. Urgent messages come all the same, and the inbox is never kept waiting."
        )

    def values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "channels": {news.value: cleaned[news.value] for news in News},
            "digest": cleaned["digest"],
            "quiet_from": cleaned["quiet_from"],
            "quiet_until": cleaned["quiet_until"],
        }


def _time(label: Any, initial: Any) -> forms.TimeField:
    choices = list(QUIET_TIMES)
    shown = f"{initial:%H:%M}" if initial is not None else ""
    if shown and (shown, shown) not in choices:
        choices.append((shown, shown))
    return forms.TimeField(
        label=label, required=False, initial=shown, widget=forms.Select(choices=choices)
    )
