"""When this software was made."""

from datetime import datetime, timezone

RELEASED_AT = datetime(2026, 12, 1, tzinfo=timezone.utc)
"""No clock that is right shows less. Set with each release: the dates of files are set by installing them."""
