import pytest

from tms.clock import scheduler


@pytest.fixture
def quick(monkeypatch, feed_recorder) -> None:
    """A failed clock retries at once."""
    monkeypatch.setattr(scheduler, "RETRY_S", 0.01)
