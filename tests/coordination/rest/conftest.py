"""Clients of the API: programs with tokens, and nobody."""

from collections.abc import Callable

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from tests.factories import AT

ClientOf = Callable[..., Client]


@pytest.fixture
def client_of(db: None, fixed_clock: object) -> ClientOf:
    """Return a client that presents an API token of a viewer's."""

    def make(viewer: Viewer, *scopes: str, language: str = "en") -> Client:
        user = User.objects.get(pk=viewer.user_id)
        token = issue_token(user, name="test", scopes=scopes or ("*:*",), viewer=SYSTEM, at=AT)
        return Client(
            headers={"Authorization": f"Bearer {token.secret}", "Accept-Language": language}
        )

    return make
