"""Changes that boards must show."""

from typing import Any

from django.db import transaction

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import TerminalState


@transaction.atomic
def change(*terminals: Any, **fields: Any) -> None:
    """The changes of rows and feed by ingest when terminals report or their presence changes."""
    pks = frozenset(terminal.pk for terminal in terminals)
    TerminalState.objects.filter(pk__in=pks).update(**fields)
    named = {name: pks for name in ("presence", "status") if name in fields}
    publish(Change(terminals=pks, **named))
