import pytest

from tms.clock import scheduler


@pytest.fixture
def quick(monkeypatch, feed_recorder) -> None:
    """A clock that failed tries again at once."""
    monkeypatch.setattr(scheduler, "RETRY_S", 0.01)
