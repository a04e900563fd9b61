"""A rollout of software that leaks memory. TMS stops it while the visitor watches."""

from datetime import datetime, timedelta

from tms.accounts.models import User
from tms.artifacts.models import Artifact
from tms.demo.releases import LEAKING
from tms.jobs.models import JobHours
from tms.rollouts import services
from tms.rollouts.models import ApprovalRule, Rollout, WaveKind
from tms.rollouts.values import RolloutValues, WaveValues

LASTS = timedelta(days=2)
MEASURES = ("restarts", "outages_power")
"""What can be told within minutes: readings are compared over three hours, and lasting faults need four."""
SETTLES_IN_S = 30
WAVES = (
    WaveValues(WaveKind.CANARY, 12, watch_hours=1),
    WaveValues(WaveKind.SHARE, 40, watch_hours=1),
    WaveValues(WaveKind.REST),
    WaveValues(WaveKind.HELD_BACK),
)


def artifact() -> Artifact | None:
    """None if somebody withdrew it."""
    return Artifact.objects.usable().filter(name="kiosk-firmware", version=LEAKING).first()


def start(found: Artifact, *, by: User, at: datetime) -> Rollout:
    """Start it on all kiosks that the person may update, at any hour: nobody waits for the night to see it stop.

    Raises RolloutRefused and Forbidden.
    """
    values = RolloutValues(
        name=f"Kiosk firmware {found.version}",
        until=at + LASTS,
        artifacts=(found,),
        query=f"kind:kiosk state:in_service -firmware:{found.version}",
        waves=WAVES,
        measures=MEASURES,
        hours=JobHours.ANY,
        approval=ApprovalRule.NONE,
        settle_s=SETTLES_IN_S,
    )
    return services.create(values, by=by, at=at)
