"""Accounts for emergencies raise an alarm when they are used (TMS_BREAK_GLASS)."""

import pytest
from django.test import Client
from structlog.testing import capture_logs

from tms.accounts.models import AuditEntry, User
from tms.metrics.instruments import BREAK_GLASS

PASSWORD = "a password for tests"
pytestmark = pytest.mark.django_db


@pytest.fixture
def used(settings):
    settings.BREAK_GLASS = frozenset({"emergency"})
    for name in ("emergency", "tanaka"):
        User.objects.create_user(name, password=PASSWORD)

    def sign_in(name: str, password: str = PASSWORD) -> tuple[list, int, float]:
        before = BREAK_GLASS._value.get()
        with capture_logs() as logs:
            Client().post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR="198.51.100.7")
        entries = AuditEntry.objects.filter(action="break-glass-used")
        events = [event for event in logs if event["event"] == "break_glass_used"]
        return events, entries.count(), BREAK_GLASS._value.get() - before

    return sign_in


def test_its_sign_in_is_logged_counted_and_audited(used):
    events, entries, counted = used("emergency")

    assert [(event["username"], event["address"], event["log_level"]) for event in events] == [
        ("emergency", "198.51.100.7", "critical")
    ]
    assert (entries, counted) == (1, 1)
    assert AuditEntry.objects.get(action="break-glass-used").actor_name == "emergency"


@pytest.mark.parametrize(("name", "password"), [("tanaka", PASSWORD), ("emergency", "wrong")])
def test_other_sign_ins_and_failed_ones_are_not(used, name, password):
    assert used(name, password) == ([], 0, 0)
