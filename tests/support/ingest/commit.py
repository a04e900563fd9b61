"""Commits of items, as the batch makes them."""

from tests.support.builders import Link
from tms.alerts.models import Alert
from tms.fleet.models import Terminal, TerminalState
from tms.ingest import commit
from tms.ingest.batch_result import BatchResult
from tms.ingest.items import Item
from tms.telemetry.models import Report


def write(*items: Item) -> BatchResult:
    """Commit, and call the callbacks of the links."""
    result = commit.write(items)
    for item in result.boots:
        item.link.on_booted(item.outcome)
    return result


def booted(terminal: Terminal, boot_id: str = "boot-1", **params) -> Link:
    link = Link(terminal)
    write(link.boot(boot_id, **params))
    return link


def state_of(terminal: Terminal) -> TerminalState:
    return TerminalState.objects.get(pk=terminal.pk)


def stored_reports(terminal: Terminal) -> list[tuple[str, int]]:
    rows = Report.objects.filter(terminal=terminal).order_by("boot", "seq")
    return list(rows.values_list("boot__boot_id", "seq"))


def transition_kinds(alert: Alert) -> list[str]:
    return list(alert.transitions.values_list("kind", flat=True))
