"""Forms about robots of chat groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.deliveries.models import Endpoint
from coordination.pages.forms import VerbForm

KINDS = (("wecom", _("WeCom")), ("dingtalk", _("DingTalk")), ("feishu", _("Feishu or Lark")))
LANGUAGES = (("zh-hans", _("Chinese")), ("en", _("English")))


class _Secret(forms.PasswordInput):
    """A secret is typed in and never shown again."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})


class RobotForm(VerbForm):
    """What is the same for a new robot and one that is changed."""

    name = forms.CharField(label=_("Name of the group"), max_length=100)
    url = forms.CharField(
        label=_("Address of the robot"),
        max_length=500,
        widget=_Secret,
        help_text=_("Copy it from the robot's settings in the chat. It is not shown again."),
    )
    signing_key = forms.CharField(
        label=_("Signing key"),
        max_length=200,
        required=False,
        widget=_Secret,
        help_text=_("DingTalk and Feishu, if the robot signs. It is not shown again."),
    )
    keyword = forms.CharField(
        label=_("Keyword"),
        max_length=100,
        required=False,
        help_text=_("DingTalk and Feishu, if the robot asks for one."),
    )
    mentions = forms.CharField(
        label=_("Whom to mention"),
        max_length=500,
        required=False,
        help_text=_(
            "Ids of people, parted by blanks: WeCom user ids, DingTalk telephone numbers, Feishu "
            "open ids. “all” calls everybody (not in WeCom)."
        ),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)

    def values(self) -> dict[str, Any]:
        """Return what was typed, as the verbs take it."""
        return {
            "name": self.cleaned_data["name"],
            "url": self.cleaned_data["url"],
            "signing_key": self.cleaned_data["signing_key"],
            "keyword": self.cleaned_data["keyword"],
            "mentions": self.cleaned_data["mentions"].split(),
            "language": self.cleaned_data["language"],
        }


class NewRobotForm(RobotForm):
    """A robot to be set up."""

    channel = forms.ChoiceField(label=_("Chat"), choices=KINDS)
    owner = forms.ChoiceField(
        label=_("For"), help_text=_("Reminders of its events go to this group.")
    )
    field_order = ["owner", "channel", "name", "url"]

    def __init__(self, *args: Any, owners: Sequence[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["owner"].choices = owners  # type: ignore[attr-defined]


class ChangeRobotForm(RobotForm):
    """A robot as it is, without its secrets."""

    def __init__(self, *args: Any, robot: Endpoint, **options: Any) -> None:
        options["initial"] = {
            "name": robot.name,
            "keyword": robot.keyword,
            "mentions": robot.mentions,
            "language": robot.language or "zh-hans",
        }
        super().__init__(*args, **options)
        for name in ("url", "signing_key"):
            self.fields[name].required = False
            self.fields[name].help_text = _("Leave it empty to keep what is stored.")
