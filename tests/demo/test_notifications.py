"""A new demo has people on call from its first minute on, and shows what it sent."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tms.accounts.models import User
from tms.demo.notification_log import NotificationLog
from tms.demo.people import PEOPLE
from tms.main import demo_notifications
from tms.notifications.destinations import test_send
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.policies.steps import steps_of
from tms.notifications.transports.result import SendOutcome

MONDAY_MIDNIGHT_IN_TOKYO = datetime(2026, 11, 29, 15, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[NotificationLog]:
    log = NotificationLog(tmp_path / "notifications.log")
    yield log
    log.close()


@pytest.mark.django_db
def test_each_step_has_a_recipient_and_the_log_of_a_later_start_gets_the_messages(log, tmp_path, settings):
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.0/8")]
    usernames = [one.username for one in PEOPLE]
    for one in PEOPLE:
        User.objects.create_user(**one._asdict())

    monday = MONDAY_MIDNIGHT_IN_TOKYO.date()
    demo_notifications.write_policy(usernames, log_url="http://127.0.0.1:9", today=monday)
    demo_notifications.redirect_to(log.url)
    steps = steps_of([Policy.objects.get().pk], at=MONDAY_MIDNIGHT_IN_TOKYO)

    assert [len(step.reached) for step in next(iter(steps.values()))] == [1, 1]
    for destination in Destination.objects.all():
        assert test_send.send_test(destination).outcome is SendOutcome.DELIVERED
    lines = (tmp_path / "notifications.log").read_text().splitlines()
    assert len(lines) == 3
    assert all(" tms.alerts.test.v1 " in line for line in lines)
