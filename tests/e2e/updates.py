"""Artifacts and a rollout that stops, for the browser tests."""

from datetime import timedelta
from typing import Any


def artifacts() -> int:
    """The former version and the new one, for the kiosks of all sites. Returns the number of the new one."""
    from tests.support.artifacts import make_artifact
    from tms.fleet.models import Terminal

    Terminal.objects.update(kind="kiosk", model="KX-21", firmware="4.8.1", features=["update"])
    make_artifact(version="4.8.1")
    return make_artifact(version="4.8.3").pk


def spoil(rollout: int) -> dict[str, Any]:
    """The terminals of the canary are updated, and its effects stop the rollout. Returns how many there are."""
    from django.utils import timezone

    from tms.rollouts import services
    from tms.rollouts.models import Rollout

    made, at = Rollout.objects.get(pk=rollout), timezone.now()
    canary = made.waves.get(number=1)
    updated = canary.items.update(
        state="done",
        state_at=at,
        updated_at=at - timedelta(hours=1),
        ended_at=at,
        version_before="4.8.1",
        former={"kiosk-firmware": "4.8.1"},
    )
    canary.state = "watched"
    canary.save()
    Rollout.objects.filter(pk=made.pk).update(evidence=105)
    services.stop(made, at=at, reason="effects")
    return {"updated": updated}
