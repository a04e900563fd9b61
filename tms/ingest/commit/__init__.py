from tms.ingest.commit.transaction import write_in_transaction
from tms.ingest.commit.write import write

__all__ = ["write", "write_in_transaction"]
