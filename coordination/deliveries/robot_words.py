"""What robots' answers mean to the people who keep them, and the words of a test."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deliveries.sources import Item, Rendered

EXPLANATIONS: dict[str, Any] = {
    "wecom_93000": _(
        "WeCom does not know this robot: it was taken out of the group, or the address is not "
        "whole. Add a robot to the group and enter its address."
    ),
    "dingtalk_310000": _(
        "DingTalk refuses: keyword, signing key or the addresses it allows do not fit. Compare "
        "them with the robot's security settings."
    ),
    "dingtalk_300005": _("DingTalk does not know this robot. Enter its address again."),
    "dingtalk_300001": _("DingTalk does not know this robot. Enter its address again."),
    "dingtalk_400101": _("DingTalk does not know this robot. Enter its address again."),
    "dingtalk_400102": _("The robot was switched off in DingTalk. Switch it on there."),
    "feishu_19001": _("Feishu does not know this robot. Enter its address again."),
    "feishu_19021": _(
        "Feishu refuses the signature: the signing key is another, or this server's clock is "
        "wrong by over an hour."
    ),
    "feishu_19022": _("Feishu lets only certain addresses in, and this server's is not one."),
    "feishu_19024": _("Feishu asks for a keyword. Enter the one of the robot's settings."),
    "host_not_allowed": _("This host is not one at which robots of this maker live."),
    "failing_for_days": _("It has failed for five days, so it was switched off."),
    "timeout": _("There was no answer in time. It may have been taken all the same."),
}


def explain(code: str, detail: str = "") -> Any:
    """Return what a robot's answer means, and what to do."""
    known = EXPLANATIONS.get(code)
    if known is not None:
        return known
    said = " ".join(f"{code} {detail}".split())[:200]
    return _("The robot did not take it: %(said)s") % {"said": said}


def trial_words(language: str, *, url: str) -> Rendered:
    """Return what a test sends, in the robot's language.

    Args:
        language: "zh-hans" or "en".
        url: where it leads.
    """
    if language == "en":
        subject, text = "Test message", "Reminders of the alliance calendar will arrive here."
    else:
        subject, text = "测试消息", "联盟日程的提醒将发到本群。"
    return Rendered(subject, text, language=language, items=(Item(subject, text, url),))
