"""Which versions of what terminals run, as their boots reported."""

from collections.abc import Sequence

import msgspec
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Replace
from django.db.models.lookups import Exact

from tms.fleet.models import Terminal
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows

AGENT = "tms-agent"
"""The artifact that is the agent itself."""
AGENT_PREFIX = "tms-agent/"
"""It reports its version with its name, as in `User-Agent`."""


class SoftwareRow(msgspec.Struct, frozen=True, gc=False):
    """What a boot said. JSON with sorted members, so that equal texts are equal values."""

    terminal_id: int
    features: msgspec.Raw
    software: msgspec.Raw


def record(rows: Sequence[SoftwareRow]) -> None:
    """Store what boots said. Most change nothing, and cost one query. Call it in the transaction of the boots."""
    if not rows:
        return
    among, keys = db_rows.among("t.id", (row.terminal_id for row in rows))
    table, source = Terminal._meta.db_table, db_rows.source(SoftwareRow)
    differs = "WHERE t.id = r.terminal_id AND (t.features <> r.features OR t.software <> r.software)"
    found = prepared.run(f"SELECT t.id FROM {table} AS t, {source} {differs}{among}", [db_rows.encode(rows), *keys])
    changed = {pk for (pk,) in found}
    if not changed:
        return
    among, keys = db_rows.among("t.id", changed)
    values = "features = r.features, software = r.software"
    sql = f"UPDATE {table} AS t SET {values} FROM {source} WHERE t.id = r.terminal_id{among}"
    prepared.run(sql, [db_rows.encode([row for row in rows if row.terminal_id in changed]), *keys])


def software_row(terminal_id: int, features: Sequence[str], software: dict[str, str]) -> SoftwareRow:
    """A terminal that says nothing of one of them has none: it may have been replaced."""
    return SoftwareRow(
        terminal_id,
        msgspec.Raw(msgspec.json.encode(sorted(set(features)))),
        msgspec.Raw(msgspec.json.encode(dict(sorted(software.items())))),
    )


def installed_version(terminal: Terminal, name: str) -> str:
    """The version of the artifact of this name that the terminal runs; empty if it reported none.

    What is no software of its own is the firmware.
    """
    other = terminal.agent.removeprefix(AGENT_PREFIX) if name == AGENT else terminal.firmware
    return terminal.software.get(name) or other


def with_version(terminals: QuerySet[Terminal], name: str) -> QuerySet[Terminal]:
    """Adds `version`: the same in SQL."""
    return terminals.annotate(version=_version(name))


def running(name: str, version: str) -> Q:
    """The condition on terminals that run this version."""
    return Q(Exact(_version(name), Value(version)))


def _version(name: str) -> Coalesce:
    other = Replace(F("agent"), Value(AGENT_PREFIX)) if name == AGENT else F("firmware")
    return Coalesce(KeyTextTransform(name, "software"), other, output_field=TextField())
