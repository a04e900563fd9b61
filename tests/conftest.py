"""What every test may use. Fixtures of one subject live in the conftest.py of its folder."""

import os

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without PostgreSQL and Redis the tests that need them are left out; `make test` has a pass with both."""
    if os.environ.get("TMS_DATABASE_URL") and os.environ.get("TMS_REDIS_URL"):
        return
    needy = [item for item in items if item.get_closest_marker("services")]
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if item not in needy]
