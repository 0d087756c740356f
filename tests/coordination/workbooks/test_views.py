"""The pages: upload, preview of every cell, confirmation, download."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from alliances.models import Plan, PlanItem
from coordination.accounts.models import User
from coordination.changes.models import Change
from coordination.workbooks.writing import XLSX_TYPE
from events.models import Event
from tests.coordination.workbooks.sheets import line, xlsx_of
from tests.factories import Cast, advance_plan, make_plan

ADDRESS = "/alliances/jjj/plans/import/"
THREE = [line(1, "对接会", "5月14日"), line(2, "走访", "6月"), line(3, "年会", "12月中旬")]

pytestmark = pytest.mark.usefixtures("fixed_clock")


@pytest.fixture
def secretary(cast: Cast, client: Client) -> Client:
    client.force_login(User.objects.get(username="secretary"))
    return client


def upload(client: Client, data: bytes, name: str = "plan.xlsx", **values: Any) -> Any:
    return client.post(ADDRESS, {"file": SimpleUploadedFile(name, data), **values})


def confirm(client: Client, preview: Any, **values: Any) -> Any:
    shown = {name: value or "" for name, value in preview.context["form"].initial.items()}
    return client.post(ADDRESS, {**shown, **values})


def stored(client: Client, data: bytes) -> Plan:
    confirm(client, upload(client, data))
    return Plan.objects.get()


def test_upload_page_has_a_form(secretary: Client) -> None:
    answer = secretary.get(ADDRESS)

    assert answer.status_code == 200
    assert 'enctype="multipart/form-data"' in answer.content.decode()
    assert [step["words"] for step in answer.context["trail"]] == ["联盟jjj"]


def test_preview_shows_and_stores_nothing(secretary: Client, example: bytes) -> None:
    before = Change.objects.count()

    answer = upload(secretary, example)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "中关村论坛期间" in page
    assert "<b>G9</b>" in page
    assert answer.context["counts"] == {"new": 21, "same": 0, "changed": 0, "gone": 0}
    assert (Change.objects.count(), Plan.objects.count()) == (before, 0)


def test_confirm_imports_what_was_previewed(secretary: Client, example: bytes) -> None:
    answer = confirm(secretary, upload(secretary, example))

    assert (answer.status_code, answer["Location"]) == (302, "/alliances/jjj/plans/2024/")
    assert (PlanItem.objects.count(), Event.objects.count()) == (21, 24)


def test_confirm_twice_asks_for_the_file_again(secretary: Client, example: bytes) -> None:
    preview = upload(secretary, example)
    confirm(secretary, preview)

    answer = confirm(secretary, preview)

    assert (answer.status_code, answer["Location"]) == (302, ADDRESS)
    assert Event.objects.count() == 24


def test_preview_shows_each_cells_change(secretary: Client) -> None:
    stored(secretary, xlsx_of(THREE))

    answer = upload(secretary, xlsx_of([line(1, "新名称", "5月20日"), THREE[1]]))

    (changed,) = answer.context["changed"]
    assert (changed["row"], changed["title"], changed["by_number"]) == (3, "新名称", True)
    assert [(cell["before"], cell["after"]) for cell in changed["cells"]] == [
        ("对接会", "新名称"),
        ("5月14日", "5月20日"),
        ("2024-05-14 – 2024-05-14", "2024-05-20 – 2024-05-20"),
    ]
    assert [str(item) for item in answer.context["gone"]] == ["年会"]


def test_confirm_with_a_row_said_to_be_new(secretary: Client) -> None:
    stored(secretary, xlsx_of(THREE))
    uid = PlanItem.objects.get(number="1").uid
    preview = upload(secretary, xlsx_of([line(1, "新活动", "5月20日"), *THREE[1:]]))

    confirm(secretary, preview, new_rows=["3"])

    assert PlanItem.objects.get(number="1").uid != uid
    assert PlanItem.objects.count() == 3


def test_preview_with_errors_offers_no_import(secretary: Client) -> None:
    answer = upload(secretary, xlsx_of([*THREE, line(4, None)]))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<b>C6</b>" in page
    assert not answer.context["may_import"]


def test_upload_of_something_else_says_so(secretary: Client) -> None:
    answers = [
        upload(secretary, b"hello", "plan.xlsx"),
        upload(secretary, b"", "plan.xlsx"),
        secretary.post(ADDRESS),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]


def test_preview_of_the_same_file_has_nothing_to_import(secretary: Client) -> None:
    stored(secretary, xlsx_of(THREE))

    answer = upload(secretary, xlsx_of(THREE))

    assert (answer.status_code, answer.context["may_import"]) == (200, False)


def test_confirm_after_the_plan_changed_shows_the_changes_again(secretary: Client) -> None:
    stored(secretary, xlsx_of(THREE))
    preview = upload(secretary, xlsx_of([line(1, "对接会", "5月20日"), *THREE[1:]]))
    stored(secretary, xlsx_of([line(1, "对接会", "6月1日"), *THREE[1:]]))

    answer = confirm(secretary, preview)
    again = confirm(secretary, answer)

    assert (answer.status_code, again.status_code) == (409, 302)
    assert PlanItem.objects.get(number="1").window_text == "5月20日"


def test_confirm_adopted_plan_without_a_reason_asks_for_it(secretary: Client) -> None:
    advance_plan(stored(secretary, xlsx_of(THREE)), "adopted")
    preview = upload(secretary, xlsx_of([line(1, "对接会", "5月20日"), *THREE[1:]]))

    refused = confirm(secretary, preview)
    taken = confirm(secretary, refused, reason="改期")

    assert 'name="reason"' in preview.content.decode()
    assert (refused.status_code, taken.status_code) == (422, 302)
    assert Plan.objects.get().editions.get(state="draft").reason == "改期"


def test_pages_for_others_are_refused(cast: Cast, client: Client, example: bytes) -> None:
    assert client.get(ADDRESS).status_code == 302
    client.force_login(User.objects.get(username="liaison"))
    assert client.get(ADDRESS).status_code == 403
    assert upload(client, example).status_code == 403
    assert client.get("/alliances/nowhere/plans/import/").status_code == 404


def test_download_gives_what_the_viewer_may_see(cast: Cast, client: Client) -> None:
    make_plan(cast.alliance, state="published")
    make_plan(cast.alliance, year=2027)

    answer = client.get("/alliances/jjj/plans/2028/plan.xlsx")

    assert (answer.status_code, answer["Content-Type"]) == (200, XLSX_TYPE)
    assert answer["Content-Disposition"] == 'attachment; filename="jjj-2028-plan.xlsx"'
    assert client.get("/alliances/jjj/plans/2027/plan.xlsx").status_code == 404
