from collections.abc import Collection
from datetime import datetime
from functools import cached_property

from tms.boards.caches.census import Census
from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.last_hour import Lines
from tms.boards.caches.sound_alarms import SoundAlarms, alarm_cache
from tms.boards.rows.alerts import AlertRow, alert_rows
from tms.boards.rows.impact import ImpactRanking
from tms.boards.rows.terminals import TerminalRow, terminal_rows


class RenderContext:
    """Data read for one render pass, shared by all pages that need it."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._terminals: dict[int, TerminalRow] = {}
        self._alerts: dict[int, AlertRow] = {}

    @cached_property
    def census(self) -> Census:
        return census_cache().read()

    @cached_property
    def impact(self) -> ImpactRanking:
        return ImpactRanking(self.census, at=self.at)

    @cached_property
    def sound_alarms(self) -> SoundAlarms:
        return alarm_cache().get(self.at)

    @cached_property
    def hour(self) -> Lines:
        return census_cache().hour(self.census, at=self.at)

    def terminals(self, pks: Collection[int]) -> list[TerminalRow]:
        """Rows in the order of `pks`. The caller has checked what a person may see."""
        missing = [pk for pk in pks if pk not in self._terminals]
        if missing:
            self._terminals |= terminal_rows(missing, at=self.at)
        return [self._terminals[pk] for pk in pks if pk in self._terminals]

    def alerts(self, pks: Collection[int]) -> list[AlertRow]:
        missing = [pk for pk in pks if pk not in self._alerts]
        if missing:
            self._alerts |= {row.pk: row for row in self.impact.explained(alert_rows(missing).values())}
        return [self._alerts[pk] for pk in pks if pk in self._alerts]
