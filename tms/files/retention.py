"""Ends uploads that were not finished, and deletes files that were kept long enough. Run by the clock."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import QuerySet

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.files.cleaning import clear, remove_parts
from tms.files.models import FileState, TerminalFile
from tms.files.receiving import join
from tms.files.tus import UploadRefused
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import each

ROWS = 200
"""Files of each kind in one pass."""


def _finish(file: TerminalFile, at: datetime) -> None:
    try:
        join(file, at=at)
    except UploadRefused:
        return  # it has failed now


def _give_up(file: TerminalFile, at: datetime) -> None:
    if TerminalFile.objects.filter(pk=file.pk, state=FileState.RECEIVING).update(state=FileState.FAILED):
        clear(file)
        publish(Change(terminals=frozenset({file.terminal_id})))


def _clear_again(file: TerminalFile, at: datetime) -> None:
    (remove_parts if file.is_complete else clear)(file)


def _remove(file: TerminalFile, at: datetime) -> None:
    file.delete()


def _forget(file: TerminalFile, at: datetime) -> None:
    clear(file)
    file.delete()


_rows = TerminalFile.objects
PASSES: tuple[tuple[Callable[[datetime], QuerySet[TerminalFile]], Callable[[TerminalFile, datetime], None]], ...] = (
    (_rows.unjoined, _finish),
    (_rows.abandoned, _give_up),
    (_rows.uncleared, _clear_again),
    (_rows.unused, _remove),
    (_rows.old, _forget),
)


@skip_when_empty(*(rows for rows, _work in PASSES))
def tidy(at: datetime) -> None:
    """An error of one file does not affect the others."""
    for rows, work in PASSES:
        each(list(rows(at)[:ROWS]), lambda file, work=work: work(file, at), loop="files")  # type: ignore[misc]
