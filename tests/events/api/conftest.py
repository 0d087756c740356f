"""Clients of the API, as in the tests of its house rules."""

from tests.coordination.rest.conftest import client_of

__all__ = ["client_of"]
