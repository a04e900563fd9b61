"""What follows in alerts when the presence of terminals changes."""

from collections.abc import Sequence

from tms.alerts import lifecycle
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import TerminalScope
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal
from tms.fleet.presence.state_machine import LinkStateChange


def follow(link_changes: Sequence[LinkStateChange]) -> None:
    """Updates presence alerts and publishes the changes."""
    if not link_changes:
        return
    moved = frozenset(change.terminal_id for change in link_changes)
    rows = Terminal.objects.filter(pk__in=moved).values_list("pk", "site_id", "kind", "model")
    scopes = {row[0]: TerminalScope(*row) for row in rows}
    lifecycle.apply_events(lifecycle.follow_presence(link_changes, rule_cache().get(), scopes))
    publish(Change(terminals=moved, presence=moved))
