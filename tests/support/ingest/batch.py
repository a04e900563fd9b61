"""A batch that runs, and its items committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tms.ingest.batch import Batch
from tms.ingest.items import Item


@asynccontextmanager
async def running(batch: Batch) -> AsyncIterator[Batch]:
    batch.start()
    try:
        yield batch
    finally:
        await batch.stop()


async def commit(batch: Batch, *items: Item) -> None:
    """Add the items, and wait until they are committed."""
    for item in items:
        batch.add(item)
    await batch.wait_until_idle()
