"""Reminder rules: adding, changing and removing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, MembershipRole, Organization, Plan, SeatRole, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.bilingual import CHINESE, ENGLISH
from coordination.changes.assigning import assign
from coordination.changes.models import UNTRACKED_COLUMNS
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import invalid
from events import rules
from events.levels import standing_where
from events.models import Clock, Event, ReminderRule
from events.models.reminder import ANSWER_WORDS, AUDIENCE_WORDS, CHANNEL_WORDS, OWNERS
from events.offsets import NotAnOffset, read_offset
from events.own_words import REMINDER_PLACES, UnknownPlace, check_places
from events.quiet import LONGEST_OF_A_RULE
from events.rule_words import origin_in_words, rule_in_words
from events.zones import zone_names

AUDIENCES = tuple(AUDIENCE_WORDS)
CHANNELS = tuple(CHANNEL_WORDS)
ROLES = tuple(role.value for role in SeatRole)
MEMBER_ROLES = tuple(role.value for role in MembershipRole)
ANSWERS = tuple(ANSWER_WORDS)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "audience": AUDIENCES,
    "channels": CHANNELS,
    "roles": ROLES,
    "member_roles": MEMBER_ROLES,
    "answers": ANSWERS,
}
NEEDED = frozenset({"audience", "channels"})
MOST_WORDS = 200
DAY_MINUTES = 24 * 60
PLACING = UNTRACKED_COLUMNS | {*OWNERS, "event_type", "joins", "overrides"}
"""Columns that say which rule it is and where it stands, not what it does."""
RuleOwner = Alliance | Plan | WorkArea | Event


def add_reminder_rule(
    owner: RuleOwner, *, viewer: Viewer, at: datetime, **values: Any
) -> ReminderRule:
    """Add a rule to an alliance, a plan, a work area or an event.

    Raises:
        NotAllowed.
        InvalidInput: something in it cannot be read, or does not go together; or it stands in for
            a rule that does not hold there.
    """
    rule = draft_reminder_rule(owner, **values)
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    check_reminder_rule(rule)
    _check_override(rule)
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.added")
    return rule


def draft_reminder_rule(owner: RuleOwner, **values: Any) -> ReminderRule:
    """Return a rule that is not saved, for a preview.

    Raises:
        InvalidInput: a name is no column of a rule.
    """
    rule = ReminderRule(**{_level_of(owner): owner})
    rule.audience, rule.channels = ["hosts", "members", "named"], ["email"]
    return assign(rule, values)


def revise_reminder_rule(
    rule: ReminderRule, *, viewer: Viewer, at: datetime, **values: Any
) -> ReminderRule:
    """Change a rule; reminders that have not gone out follow it.

    Raises:
        NotAllowed, StaleVersion, InvalidInput.
    """
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    for name in (*OWNERS, "event_type"):
        if name in values and values[name] != getattr(rule, name):
            raise invalid(name, _("A rule stays where it stands. Remove it and add another."))
    base = rule.overrides_id
    check_reminder_rule(assign(rule, values))
    if rule.overrides_id != base:
        _check_override(rule)
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.revised")
    return rule


def remove_reminder_rule(rule: ReminderRule, *, viewer: Viewer, at: datetime) -> None:
    """Remove a rule with its reminders; what was sent stays in the ledger.

    Raises:
        NotAllowed, StaleVersion.
        InUse: another rule stands in its place for something; that one is removed first.
    """
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    rule.enabled, rule.overrides = False, None
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.revised")
        log.delete(rule, "reminder_rule.removed")


def pass_on_rules(kept: Organization, merged: Organization, log: Log) -> None:
    """Let rules that remind an organization that was merged remind the one that remains."""
    old, new = str(merged.uid), str(kept.uid)
    for rule in ReminderRule.objects.exclude(organizations=[]).order_by("pk"):
        if old in rule.organizations:
            rule.organizations = sorted({new if uid == old else uid for uid in rule.organizations})
            log.save(rule, "reminder_rule.revised")


def check_reminder_rule(rule: ReminderRule) -> None:
    """Go on when the rule can be carried out.

    Raises:
        InvalidInput: a distance, a choice or a place in its words cannot be read, or parts do
            not go together.
    """
    for name in ("offset", "repeat_every", "repeat_until"):
        _check_distance(rule, name)
    for name, allowed in CHOICES.items():
        _check_choice(rule, name, allowed)
    for name in ("tiers", "tags"):
        _check_words(rule, name)
    _check_organizations(rule)
    for name in ("text_zh", "text_en"):
        check_text(name, getattr(rule, name), REMINDER_PLACES)
    for name, is_wrong, words in CONDITIONS:
        if is_wrong(rule):
            raise invalid(name, words)
    if _changes_nothing(rule):
        words = _("It says the same as the rule in whose place it stands. Change something in it.")
        raise invalid("overrides", words, code="no_change")


def check_distance(name: str, text: str) -> None:
    """Go on when the text is a distance.

    Raises:
        InvalidInput.
    """
    try:
        read_offset(text)
    except NotAnOffset:
        words = _("Write a distance such as -P7D (7 days before) or -PT2H (2 hours before).")
        raise invalid(name, words) from None


def check_text(name: str, text: str, places: tuple[str, ...]) -> None:
    """Go on when an office's own words can be filled in.

    Raises:
        InvalidInput: it has a place that nothing fills.
    """
    try:
        check_places(text, places)
    except UnknownPlace as error:
        known = ", ".join("{" + place + "}" for place in places)
        if not error.written:
            alone = _("A brace stands alone. Write {{ or }} for a brace that is meant as one.")
            raise invalid(name, alone, code="unknown_place") from None
        words = _("“%(written)s” cannot be filled in. Known are: %(known)s.") % {
            "written": error.written,
            "known": known,
        }
        raise invalid(name, words, code="unknown_place") from None


def _check_distance(rule: ReminderRule, name: str) -> None:
    text = getattr(rule, name)
    if text or (name == "offset" and rule.at_wall is None):
        check_distance(name, text)


def _check_choice(rule: ReminderRule, name: str, allowed: tuple[str, ...]) -> None:
    chosen = getattr(rule, name)
    known = isinstance(chosen, list) and all(choice in allowed for choice in chosen)
    if not known or (name in NEEDED and not chosen):
        raise invalid(
            name, _("Choose one or more of: %(allowed)s.") % {"allowed": ", ".join(allowed)}
        )


def _check_words(rule: ReminderRule, name: str) -> None:
    chosen = getattr(rule, name)
    fits = isinstance(chosen, list) and len(chosen) <= MOST_WORDS
    if not fits or not all(isinstance(word, str) and 0 < len(word) <= 60 for word in chosen):
        raise invalid(name, _("Give a list of words of at most 60 characters."))


def _check_organizations(rule: ReminderRule) -> None:
    try:
        uids = {UUID(str(uid)) for uid in rule.organizations}
    except (TypeError, ValueError):
        uids = set()
    found = Organization.objects.filter(uid__in=uids).count() if uids else 0
    if not isinstance(rule.organizations, list) or found != len(rule.organizations):
        raise invalid("organizations", _("One of these organizations is not known."))
    rule.organizations = sorted(str(uid) for uid in uids)


def _is_backwards(rule: ReminderRule) -> bool:
    every = rule.timing.every
    return every is not None and (
        min(every.days, every.minutes) < 0 or every.days + every.minutes == 0
    )


def _ends_before_it_begins(rule: ReminderRule) -> bool:
    first, last = rule.timing.offset, rule.timing.until
    if last is None or rule.at_wall is not None:
        return False
    return last.days * DAY_MINUTES + last.minutes < first.days * DAY_MINUTES + first.minutes


def _changes_nothing(rule: ReminderRule) -> bool:
    """Whether the rule says exactly what the one says in whose place it stands."""
    base = rule.overrides
    return base is not None and all(
        getattr(rule, column.attname) == getattr(base, column.attname)
        for column in rule._meta.concrete_fields
        if column.name not in PLACING
    )


def _check_override(rule: ReminderRule) -> None:
    """Go on when the rule that it stands in for holds where it stands; else it would do nothing.

    Raises:
        InvalidInput: otherwise; it names those that hold.
    """
    if rule.overrides is None:
        return
    standing = [row.rule for row in standing_where(rule)]
    if rule.overrides in standing:
        return
    language = ENGLISH if translation.get_language() == ENGLISH else CHINESE
    named = [
        _("%(rule)s (%(origin)s)")
        % {"rule": rule_in_words(each, language), "origin": origin_in_words(each, language)}
        for each in standing
    ]
    words: Any = _("No rule holds here yet. Leave this out, and it is a rule of its own.")
    if named:
        pattern = _("It can stand only in place of a rule that holds here: %(rules)s.")
        words = pattern % {"rules": gettext("; ").join(named)}
    raise invalid("overrides", words, code="not_standing")


Condition = tuple[str, Callable[[ReminderRule], bool], Any]
CONDITIONS: tuple[Condition, ...] = (
    (
        "at_wall",
        lambda rule: rule.at_wall is not None and bool(rule.offset),
        _("Give a distance or a fixed time, one of both."),
    ),
    (
        "at_zone",
        lambda rule: bool(rule.at_zone) and rule.at_zone not in zone_names(),
        _("There is no such time zone."),
    ),
    (
        "at_time",
        lambda rule: rule.clock == Clock.READER and rule.at_time is None and rule.at_wall is None,
        _("Give the time of day that each reader's clock is to show."),
    ),
    (
        "clock",
        lambda rule: rule.timing.by_reader and bool(rule.timing.offset.minutes),
        _("By the readers' clocks only whole days can be counted."),
    ),
    (
        "quiet_until",
        lambda rule: rule.quiet_hours is not None and rule.quiet_hours.length > LONGEST_OF_A_RULE,
        _("Quiet hours last 14 hours at most."),
    ),
    (
        "repeat_every",
        _is_backwards,
        _("Write how far the repetitions lie apart, such as P2D (every 2 days)."),
    ),
    (
        "repeat_every",
        lambda rule: rule.repeat_every != "" and rule.at_wall is not None,
        _("What falls due at a fixed time is not repeated."),
    ),
    (
        "repeat_until",
        _ends_before_it_begins,
        _("The repetitions end before the first time. Choose an end that is not before it."),
    ),
    (
        "organizations",
        lambda rule: "chosen" in rule.audience and not rule.organizations,
        _("Choose at least one organization."),
    ),
    (
        "event_type",
        lambda rule: bool(rule.event_type) and rule.alliance_id is None,
        _("A rule for a type of event stands on the alliance."),
    ),
    (
        "overrides",
        lambda rule: (
            rule.overrides is not None
            and (rule.overrides.alliance_key != rule.alliance_key or rule.overrides_id == rule.pk)
        ),
        _("It can stand in for another rule of the same alliance only."),
    ),
)


def _level_of(owner: RuleOwner) -> str:
    return {Alliance: "alliance", Plan: "plan", WorkArea: "work_area", Event: "event"}[type(owner)]
