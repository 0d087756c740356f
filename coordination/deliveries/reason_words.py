"""Why a delivery or a message stands where it stands, in words for people.

The ledger keeps short codes, which programs read; what the other side said is kept beside them.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

WORDS: dict[str, Promise] = {
    "address_inside": gettext_lazy(
        "Its address leads into a private network, which is not reached."
    ),
    "asked_again": gettext_lazy(
        "The reader answers for an organization that is invited to the event after all."
    ),
    "asked_otherwise": gettext_lazy(
        "The reader is invited to the same event by another invitation."
    ),
    "by_wish": gettext_lazy("The reader does not want such news this way."),
    "cannot_be_made": gettext_lazy("The text could not be put together."),
    "credentials_in_url": gettext_lazy(
        "Its address holds a user name or a password, and is not used."
    ),
    "cut": gettext_lazy("The connection broke off."),
    "date_moved": gettext_lazy("The date was moved; a newer message goes out."),
    "done": gettext_lazy("It was done before."),
    "event_cancelled": gettext_lazy("The event was cancelled before."),
    "event_has_begun": gettext_lazy("The event had begun."),
    "event_planned": gettext_lazy("The event has no time any more."),
    "event_postponed": gettext_lazy("The event was postponed before."),
    "event_held": gettext_lazy("The event was over."),
    "event_moved": gettext_lazy("The event was moved; a newer message goes out."),
    "expired": gettext_lazy("It was too late to be of use."),
    "has_it_already": gettext_lazy("The reader has it in their calendar already."),
    "https_only": gettext_lazy("Its address does not begin with https://."),
    "in_doubt": gettext_lazy("It may have gone out already, and must not go out twice."),
    "invitation_gone": gettext_lazy("The invitation no longer stands."),
    "invitation_withdrawn": gettext_lazy("The invitation was withdrawn."),
    "lease_ended": gettext_lazy("The sender stopped in the middle; it was sent again."),
    "lease_lost": gettext_lazy("Another sender took it over."),
    "mended": gettext_lazy("It works again."),
    "nearer_goes_out": gettext_lazy("A nearer reminder of the same event goes out."),
    "newer_notice": gettext_lazy("A newer message replaces it."),
    "no_address": gettext_lazy("The reader has no address."),
    "no_inbox": gettext_lazy("The reader cannot sign in, so has no inbox here."),
    "no_longer_concerned": gettext_lazy("It no longer concerns the reader."),
    "no_longer_owed": gettext_lazy("It is no longer owed."),
    "no_longer_visible": gettext_lazy("The reader may no longer see the event."),
    "not_a_web_address": gettext_lazy("Its address is no web address."),
    "not_connected": gettext_lazy("The other side could not be reached."),
    "not_http": gettext_lazy("The other side does not answer as a web server does."),
    "nothing_left": gettext_lazy("Nothing in it was still wanted."),
    "port_not_allowed": gettext_lazy("Its address names a port that is not used."),
    "quiet_hours": gettext_lazy("It fell into the reader's quiet hours."),
    "recipient_gone": gettext_lazy("The reader is no longer there."),
    "restored": gettext_lazy("It fell due between a backup and its restore, and waits for staff."),
    "robot_removed": gettext_lazy("The robot was removed."),
    "rule_changed": gettext_lazy("The rule was changed; a newer message goes out."),
    "rule_off": gettext_lazy("The rule no longer holds for the event."),
    "rule_removed": gettext_lazy("The rule was removed."),
    "said_again": gettext_lazy("A later time of the same reminder says it."),
    "skipped": gettext_lazy("Staff decided not to send it."),
    "step_removed": gettext_lazy("The step was removed."),
    "timeout": gettext_lazy("The other side did not answer in time."),
    "tls_failed": gettext_lazy("No safe connection could be made."),
    "told_already": gettext_lazy("The reader was told the same before the date was moved."),
    "too_late": gettext_lazy("It was due too long ago to be sent late."),
    "unknown_name": gettext_lazy("The name of the other side is not known."),
    "was_never_asked": gettext_lazy("The reader was never asked."),
    "webhook_on_again": gettext_lazy("The webhook is on again."),
    "webhook_removed": gettext_lazy("The webhook was removed."),
    "webhook_taken_over": gettext_lazy("Somebody answers for the webhook again."),
}


def reason_in_words(code: str) -> str:
    """Return what a code means in the active language; a peer's own code is quoted."""
    if not code:
        return ""
    if code in WORDS:
        return str(WORDS[code])
    _peer, _separator, number = code.partition("_")
    if number.isdigit():
        return _("The other side answered %(number)s.") % {"number": number}
    return code
