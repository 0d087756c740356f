"""The schema: committed, complete, and readable with nothing from another host."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.test import Client

from coordination.rest.pages import schema_bytes

COMMITTED = Path(__file__).parents[3] / "docs" / "api" / "openapi.yaml"
AGAIN = "python3 manage.py spectacular --lang en --validate --fail-on-warn --file " + str(
    COMMITTED.relative_to(COMMITTED.parents[2])
)


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(schema_bytes("json"))


def operations(document: dict) -> dict[str, dict]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }


def test_committed_schema_is_the_one_the_program_makes():
    assert COMMITTED.read_bytes() == schema_bytes("yaml"), f"Make it again: {AGAIN}"


def test_both_forms_say_the_same(document: dict):
    assert yaml.safe_load(schema_bytes("yaml")) == document
    assert document["openapi"] == "3.1.1"


def test_every_operation_is_described_and_named_once(document: dict):
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name


def test_every_operation_documents_the_refusals_of_the_house(document: dict):
    for name, operation in operations(document).items():
        expected = {"400", "401", "403", "404", "406", "415", "429", "503"}
        if name.startswith("get"):
            expected |= {"304"}
        if name.startswith("get"):
            expected |= {"412"}
        if name.startswith(("patch", "delete")):
            expected |= {"412", "428"}
        if name.startswith("post"):
            expected |= {"413", "422"}
        assert expected <= set(operation["responses"]), name


def test_every_path_ends_in_a_slash(document: dict):
    assert [path for path in document["paths"] if not path.endswith("/")] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "accept", "kind"),
    [
        ("/api/v1/schema/", "*/*", "application/vnd.oai.openapi"),
        ("/api/v1/schema", "application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("/api/v1/schema/", "application/json", "application/json"),
        ("/api/v1/schema/?format=json", "*/*", "application/vnd.oai.openapi+json"),
    ],
)
def test_schema_is_served_in_the_format_asked_for(
    client: Client, address: str, accept: str, kind: str
):
    response = client.get(address, headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, kind)
    again = client.get(address, headers={"Accept": accept, "If-None-Match": response["ETag"]})
    assert again.status_code == 304


@pytest.mark.django_db
def test_reader_of_the_schema_needs_no_other_host(client: Client):
    response = client.get("/api/docs/")
    assert response.status_code == 200
    page = response.content.decode()
    assert re.findall(r'(?:src|href)="(https?://[^"]*)"', page) == []
    assert "<script>" not in page
    policy = response["Content-Security-Policy"]
    assert "script-src" not in policy or "unsafe" not in policy.split("script-src")[1]
