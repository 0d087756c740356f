"""What people choose from when they make a token."""

from django.utils.translation import override

from coordination.accounts.forms import RESOURCE_WORDS, scope_choices
from coordination.accounts.scoping import known_resources


def test_scope_choices_name_each_resource_in_words_beside_its_code():
    with override("en"):
        choices = dict(scope_choices())

    assert sorted(RESOURCE_WORDS) == known_resources()
    assert choices["chair-terms:read"] == "Read: rotating chairs (chair-terms)"
    assert choices["events:write"] == (
        "Read and change: events, invitations, duties and reminders (events)"
    )
