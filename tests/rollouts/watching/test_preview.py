"""What waves can notice, before the start."""

import pytest

from tests.support.builders import AT
from tms.fleet.models import Outage
from tms.rollouts.watching.preview import smallest_effects
from tms.rollouts.waves.drawing import WaveTarget

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_later_waves_notice_more_and_the_last_nothing(fleet):
    fleet.site("SJK")
    kiosks = fleet.terminals(6)
    # A restart of each terminal in five days, as far as these six can have them.
    Outage.objects.bulk_create(
        Outage(terminal=kiosk, began_at=AT, ended_at=AT, lost_by="connection_lost", has_restarted=True)
        for kiosk in kiosks * 187
    )
    known = [kiosk.pk for kiosk in kiosks]
    others = range(max(known) + 1, max(known) + 395)
    targets = [WaveTarget(terminal, number % 40, "KX-21") for number, terminal in enumerate([*known, *others])]
    pks = [target.terminal for target in targets]
    waves = [pks[:40], pks[40:120], pks[120:]]

    canary, share, rest = smallest_effects(targets, waves, [None, None, 48], measures=10, at=AT)

    assert canary.restarts
    assert share.restarts
    assert canary.restarts > share.restarts > 1
    assert rest == (None, None, None)
