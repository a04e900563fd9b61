from datetime import UTC, datetime

import pytest


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def rules(request: pytest.FixtureRequest) -> None:
    """A test with real transactions may have emptied the tables; the demo starts with the default rules."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("default_rules")
