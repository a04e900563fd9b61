"""Stores what terminals say at boot that they can do."""

from collections.abc import Mapping, Sequence

import msgspec

from tms.commands.models import TerminalCapabilities
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows


class CapabilityRow(msgspec.Struct, frozen=True, gc=False):
    terminal_id: int
    names: str


def record(boots: Mapping[int, Sequence[str]]) -> None:
    """`boots`: the commands that each terminal named at boot. One that names none keeps what is stored.

    One statement, which only reads unless something differs: PostgreSQL would lock every row that it might update.
    """
    rows = [CapabilityRow(pk, "\n".join(sorted(set(named)))) for pk, named in boots.items() if named]
    if rows:
        prepared.run(_sql(), [db_rows.encode(rows)])


def _sql() -> str:
    table = TerminalCapabilities._meta.db_table
    return (
        f"INSERT INTO {table} (terminal_id, names) "
        f"SELECT r.terminal_id, r.names FROM {db_rows.source(CapabilityRow)} "
        f"LEFT JOIN {table} AS c ON c.terminal_id = r.terminal_id "
        "WHERE c.names IS NULL OR c.names <> r.names "
        "ON CONFLICT (terminal_id) DO UPDATE SET names = excluded.names"
    )
