from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause


@pytest.mark.django_db
def test_deliver_once_sends_what_is_due_and_says_so(
    source: Notices, boxes: Boxes, post: Post
) -> None:
    now = timezone.now()
    source.audience = ["box:1", "box:2"]
    source.due = [cause("1", due_at=now, send_after=now)]
    out = StringIO()

    call_command("deliver", "--once", stdout=out)

    assert out.getvalue() == "post: 2 sent, 0 to be tried again, 0 failed, 0 no longer wanted\n"
    assert len(post.carried) == 2
