import pytest

from tests.agent.commands.handlers import Handlers


@pytest.fixture
def handlers(tmp_path) -> Handlers:
    return Handlers(tmp_path)
