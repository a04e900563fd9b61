"""The commit of a batch: one for every database, and a faster one for PostgreSQL."""

from tms.ingest.commit.transaction import write_in_transaction
from tms.ingest.commit.write import write

__all__ = ["write", "write_in_transaction"]
