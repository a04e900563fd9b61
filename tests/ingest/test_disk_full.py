"""A full disk under SQLite: its error is the same for the file and for the WAL."""

from collections.abc import Sequence

import pytest
from django.db import connection

from tests.support.builders import AT, Link
from tests.support.ingest.batch import commit, running
from tests.support.threads import in_thread
from tms.ingest import batch as module
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit import write as write_items
from tms.ingest.items import Item
from tms.protocol import frames
from tms.telemetry.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
LARGE = (frames.TerminalEvent(AT, "door_open", text="x" * 500),) * 100


def use_all_pages() -> None:
    """Otherwise the pages that earlier tests left free have room for it."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")


async def test_reports_wait_while_the_disk_is_full_and_are_committed_once_there_is_room(fleet, monkeypatch):
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.01)
    await in_thread(use_all_pages)
    link, tries = Link(await in_thread(fleet.terminal)), []

    def write(items: Sequence[Item]) -> BatchResult:
        tries.append(list(link.committed_seqs))
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1" if len(tries) < 3 else "PRAGMA max_page_count = 1000000")
        return write_items(items)

    async with running(Batch(write_items)) as batch:
        await commit(batch, link.boot())
    async with running(Batch(write)) as batch:
        await commit(batch, link.report(1, events=LARGE))

    assert tries == [[], [], []]
    assert (link.committed_seqs, link.rejected_seqs) == ([1], [])
    assert await in_thread(Event.objects.count) == len(LARGE)
