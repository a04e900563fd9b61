import pytest

from tms.alerts.models import Rule
from tms.fleet.models import Terminal


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.online()


@pytest.fixture
def rule(fleet) -> Rule:
    return fleet.metric_rule()
