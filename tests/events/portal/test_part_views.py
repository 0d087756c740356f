"""What stands on an event is taken back or renewed through pages, each after a second look."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.changes.models import Change
from events.concluding import attach_material
from events.inviting import invite_organizations
from events.models import Event, Invitation, Material
from events.scheduling import revise_event
from tests.conftest import NOW
from tests.factories import AT, Cast, make_event, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


@pytest.fixture
def secretary(cast: Cast) -> Client:
    return as_viewer(cast.secretary)


@pytest.fixture
def event(cast: Cast) -> Event:
    return make_event(cast.alliance, scheduled=True, title_zh="走进天开园", audience="members")


@pytest.fixture
def invitation(cast: Cast, event: Event) -> Invitation:
    [made] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    return made


@pytest.fixture
def material(event: Event) -> Material:
    return attach_material(
        event, title="议程", file_name="议程.pdf", content=b"%PDF-1.7", viewer=SYSTEM, at=AT
    )


def test_withdraw_asks_first_and_then_withdraws_with_its_reason(secretary, invitation):
    address = f"/invitations/{invitation.uid}/withdraw/"
    page = secretary.get(f"/events/{invitation.event.uid}/").content.decode()
    assert f'href="{address}"' in page
    assert secretary.get(address).status_code == 200
    assert stored(invitation).withdrawn_at is None

    response = secretary.post(address, {"version": invitation.version, "reason": "名额已满"})

    assert response["Location"] == f"/events/{invitation.event.uid}/"
    assert stored(invitation).withdrawn_at == NOW
    assert Change.objects.get(kind="invitation.withdrawn").reason == "名额已满"


def test_withdraw_by_a_member_is_refused(cast, invitation):
    client = as_viewer(cast.member_liaison)

    assert client.post(f"/invitations/{invitation.uid}/withdraw/").status_code == 403
    assert f"/invitations/{invitation.uid}/withdraw/" not in (
        client.get(f"/events/{invitation.event.uid}/").content.decode()
    )
    assert stored(invitation).withdrawn_at is None


def test_withdraw_twice_says_that_it_was_withdrawn(secretary, invitation):
    address = f"/invitations/{invitation.uid}/withdraw/"
    secretary.post(address, {"version": invitation.version})

    response = secretary.post(address, {"reason": "再来一次"})

    assert response.status_code == 422
    assert "邀请已撤回。" in response.content.decode()
    assert 'value="再来一次"' in response.content.decode()


def test_replace_document_adds_a_version_and_keeps_the_one_before(secretary, material):
    file = SimpleUploadedFile("议程（终稿）.pdf", b"%PDF-1.7 2", content_type="application/pdf")

    response = secretary.post(
        f"/materials/{material.uid}/replace/", {"version": material.version, "file": file}
    )

    assert response["Location"] == f"/events/{material.event.uid}/"
    versions = stored(material).versions.order_by("number")
    assert [(row.number, row.file_name) for row in versions] == [
        (1, "议程.pdf"),
        (2, "议程（终稿）.pdf"),
    ]


def test_replace_document_by_what_is_not_taken_says_so_at_the_file(secretary, material):
    file = SimpleUploadedFile("virus.exe", b"MZ", content_type="application/pdf")

    response = secretary.post(f"/materials/{material.uid}/replace/", {"file": file})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"file"}
    assert stored(material).versions.count() == 1


def test_remove_document_asks_first_and_then_removes_it(secretary, material):
    address = f"/materials/{material.uid}/remove/"
    assert f'href="{address}"' in secretary.get(f"/events/{material.event.uid}/").content.decode()
    assert secretary.get(address).status_code == 200
    assert Material.objects.count() == 1

    secretary.post(address, {"version": material.version})

    assert Material.objects.count() == 0


def test_remove_document_that_the_viewer_may_not_see_is_not_found(cast, material):
    assert as_viewer(cast.stranger).get(f"/materials/{material.uid}/remove/").status_code == 404


def test_discard_deletes_a_draft_and_leads_to_the_alliance(cast, secretary):
    draft = make_event(cast.alliance, title_zh="未定的会")
    assert f"/events/{draft.uid}/discard/" in (
        secretary.get(f"/events/{draft.uid}/").content.decode()
    )

    response = secretary.post(f"/events/{draft.uid}/discard/", {"version": draft.version})

    assert response["Location"] == "/alliances/jjj/"
    assert Event.objects.count() == 0


def test_discard_of_a_draft_changed_meanwhile_deletes_nothing(cast, secretary):
    draft = make_event(cast.alliance, title_zh="未定的会")
    version = draft.version
    revise_event(draft, title_zh="快要定的会", viewer=SYSTEM, at=AT)

    response = secretary.post(f"/events/{draft.uid}/discard/", {"version": version})

    assert response.status_code == 409
    assert Event.objects.count() == 1


def test_discard_of_an_event_with_a_time_is_refused_and_not_offered(secretary, event):
    assert "/discard/" not in secretary.get(f"/events/{event.uid}/").content.decode()

    response = secretary.post(f"/events/{event.uid}/discard/", {"version": event.version})

    assert response.status_code == 422
    assert Event.objects.count() == 1
