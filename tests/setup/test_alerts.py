"""The results of rules in the admin."""

from datetime import UTC, datetime

import pytest

from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Rule
from tms.fleet.credentials import services
from tms.fleet.models import Site, Terminal

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("default_rules")


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(uid="SHJ-PAY-01", site=Site.objects.create(code="SHJ", name="Shinjuku South"))
    services.enrol(terminal)
    return terminal


@pytest.fixture
def alert(terminal: Terminal) -> Alert:
    lifecycle.trigger([RuleTriggered(Rule.objects.get(name="Paper low").pk, terminal.pk, AT, value=4.0)])
    return Alert.objects.get()


def test_alerts_and_their_history_are_read_only(admin_client, alert):
    path = f"/admin/alerts/alert/{alert.pk}/change/"

    shown = admin_client.get(path)
    edited = admin_client.post(path, {"state": "resolved"})

    assert "Opened" in shown.content.decode()
    assert edited.status_code == 403


@pytest.mark.parametrize("page", ["alerts/alert", "commands/command"])
def test_every_list_can_be_read(admin_client, alert, page):
    assert admin_client.get(f"/admin/{page}/").status_code == 200
