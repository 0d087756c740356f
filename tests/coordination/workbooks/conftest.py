"""The secretariat's example."""

import pytest

from tests.coordination.workbooks.sheets import EXAMPLE


@pytest.fixture
def example() -> bytes:
    """The secretariat's 2024 plan: 21 lines that make 24 events."""
    return EXAMPLE.read_bytes()
