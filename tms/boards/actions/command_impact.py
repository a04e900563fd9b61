"""What a dangerous command to a terminal means for its site now, for the confirmation dialog."""

from datetime import datetime
from typing import NamedTuple

from tms.alerts.models import Alert
from tms.boards.caches.plans import SiteStatus, plan_cache
from tms.fleet.models import Presence, Terminal
from tms.lib.severity import Severity


class CommandImpact(NamedTuple):
    kind: str
    total: int
    """Terminals of the same kind at the site."""
    working: int
    left: int
    """How many of them work meanwhile."""
    site_status: SiteStatus | None
    is_online: bool

    @property
    def is_closed(self) -> bool:
        return self.site_status is not None and self.site_status.opens_at is not None

    @property
    def is_last(self) -> bool:
        """Whether no terminal of its kind would work at an open site."""
        return self.working > 0 and self.left == 0 and not self.is_closed


def impact_of(terminal: Terminal, *, at: datetime) -> CommandImpact:
    """Number of working terminals: online and without a critical alert, as in `tms.alerts.impact`."""
    peers = Terminal.objects.filter(site=terminal.site_id, kind=terminal.kind)
    broken = Alert.objects.unresolved().filter(severity=Severity.CRITICAL, terminal__in=peers).values("terminal")
    working = set(peers.filter(state__presence=Presence.ONLINE).exclude(pk__in=broken).values_list("pk", flat=True))
    return CommandImpact(
        kind=terminal.kind,
        total=peers.count(),
        working=len(working),
        left=len(working - {terminal.pk}),
        site_status=plan_cache().statuses([terminal.site_id], at).get(terminal.site_id),
        is_online=terminal.state.presence == Presence.ONLINE,
    )
