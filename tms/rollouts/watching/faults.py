"""Notes when terminals have the status `fault`: the state of a terminal only says since when it has its present one."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from tms.fleet.models import Status, TerminalState
from tms.rollouts.models import TerminalFault

KEPT = timedelta(days=15)


def follow(at: datetime) -> None:
    """A pass of the clock: note faults that began and those that ended, whether or not a rollout runs.

    A fault ended when the status changed. One that is over before the next pass is not seen.
    """
    now = TerminalState.objects.filter(status=Status.FAULT, status_at__isnull=False)
    same = now.filter(terminal=OuterRef("terminal"), status_at=OuterRef("began_at"))
    changed = TerminalState.objects.filter(terminal=OuterRef("terminal"), status_at__gt=OuterRef("began_at"))
    ended = Coalesce(Subquery(changed.values("status_at")[:1]), at)
    TerminalFault.objects.filter(~Exists(same), ended_at=None).update(ended_at=ended)
    known = TerminalFault.objects.filter(terminal=OuterRef("terminal"), began_at=OuterRef("status_at"))
    new = now.filter(~Exists(known)).values_list("terminal_id", "status_at")
    TerminalFault.objects.bulk_create(
        [TerminalFault(terminal_id=terminal, began_at=since) for terminal, since in new if since is not None],
        ignore_conflicts=True,
    )


def expired(at: datetime) -> QuerySet[TerminalFault]:
    return TerminalFault.objects.filter(ended_at__lt=at - KEPT)
