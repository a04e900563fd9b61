"""The stores that commit a batch: one for every database, and a faster one for PostgreSQL."""

from tms.ingest.store.transaction import write_in_transaction
from tms.ingest.store.write import write

__all__ = ["write", "write_in_transaction"]
