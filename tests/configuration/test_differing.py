"""The rule kind *Configuration differs*: it looks at how long a terminal has reported something else."""

import pytest

from tests.configuration.rows import answer, boot, fleet_value, send, version
from tests.support.builders import Fleet, later
from tms.alerts.lifecycle import firmware
from tms.alerts.models import Alert

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


def test_an_alert_opens_after_the_duration_and_ends(fleet: Fleet) -> None:
    fleet.configuration_rule(duration_s=600)
    terminal = fleet.online()
    boot(terminal, 0)
    firmware.follow_all(later(5))
    sent = send(terminal, version(fleet_value(80)), at=10)
    firmware.follow_all(later(300))
    assert not Alert.objects.exists()
    firmware.follow_all(later(611))
    assert Alert.objects.get().state == "open"
    answer(sent, {"version": 1, "applied": []}, at=620)
    firmware.follow_all(later(640))
    assert Alert.objects.get().state == "resolved"
