"""`backup` and `restore`, as an operator runs them: what a copy keeps, and what it refuses."""

from pathlib import Path

from tests.installations import Installation, installation

FILL = """
import json
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from coordination.accounts.models import User
from coordination.changes.models import Counter
from coordination.deliveries.models import Endpoint, Message
user = User.objects.create_superuser("li")
endpoint = Endpoint.objects.create(channel="email", owner=f"user:{user.uid}")
now = timezone.now()
for uid, hours in ((1, -1), (2, 1)):
    Message.objects.create(
        uid=f"00000000-0000-0000-0000-00000000000{uid}", endpoint=endpoint, channel="email",
        recipient=endpoint.owner, source="reminder", next_attempt_at=now + timedelta(hours=hours),
    )
Counter.objects.update_or_create(id=1, defaults={"value": 7})
folder = settings.MEDIA_ROOT / "ab"
folder.mkdir(parents=True)
(folder / "abcd").write_text("会议纪要")
print(json.dumps(str(Counter.objects.get().epoch)))
"""
SHOW = """
import json
from coordination.accounts.models import User
from coordination.changes.models import Counter
from coordination.deliveries.models import HoldPeriod, Message
counter = Counter.objects.get()
print(json.dumps({
    "users": list(User.objects.values_list("username", flat=True)),
    "counter": counter.value,
    "epoch": str(counter.epoch),
    "messages": list(Message.objects.values_list("state", "reason")),
    "holds": list(HoldPeriod.objects.values_list("reason", flat=True)),
}))
"""


def restored(copy: Path, place: Installation, *options: str) -> dict[str, object]:
    done = place.run("restore", str(copy), *options)
    assert done.returncode == 0, done.stderr
    found = place.ask(SHOW)
    assert isinstance(found, dict)
    return found


def test_copy_of_an_installation_comes_back_in_an_empty_one(tmp_path: Path):
    copy = tmp_path / "copy"
    with installation(tmp_path / "source") as source:
        assert source.run("migrate", "--verbosity", "0").returncode == 0
        epoch = source.ask(FILL)

        made = source.run("backup", str(copy))

        assert made.stdout == f"Copied to {copy}: change 7, 1 uploaded files.\n"
        assert source.run("backup", str(copy)).returncode == 1

    with installation(tmp_path / "moved") as moved:
        assert restored(copy, moved) == {
            "users": ["li"],
            "counter": 7,
            "epoch": epoch,
            "messages": [["held", "restored"], ["pending", ""]],
            "holds": ["restored"],
        }
        assert (moved.var / "files" / "ab" / "abcd").read_text() == "会议纪要"
        key = (tmp_path / "source" / "secret-key").read_text()
        assert (moved.var / "secret-key").read_text() == key

        again = moved.run("restore", str(copy))
        assert again.returncode == 1
        assert "This installation is not empty" in again.stderr

    with installation(tmp_path / "rescued") as rescued:
        found = restored(copy, rescued, "--after-loss")
        assert found["epoch"] != epoch
        assert found["counter"] == 7

    database = next(copy.glob("database.*"))
    database.write_bytes(database.read_bytes()[:-1])
    with installation(tmp_path / "third") as third:
        damaged = third.run("restore", str(copy))
        assert damaged.returncode == 1
        assert "is damaged" in damaged.stderr


def test_restore_of_what_is_no_copy_says_so(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    with installation(tmp_path / "var") as place:
        done = place.run("restore", str(tmp_path / "folder"))

    assert done.returncode == 1
    assert "is no copy of an installation" in done.stderr
