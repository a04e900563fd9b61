"""Addresses at which a terminal downloads an artifact: each is for one terminal, and ends.

In a bucket it is a presigned URL of S3. On disk it is a path of TMS whose token says for whom, what and until when.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core import signing
from django.core.files.storage import storages

from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal

MAX_PRESIGNED = timedelta(days=7)
"""S3 signs for no longer."""
MAX_TOKEN = 300
SALT = "tms.artifacts.downloads"


class DownloadGrant(NamedTuple):
    """What an address allows."""

    artifact: int
    terminal: int
    ends_at: datetime


def address_of(artifact: Artifact, terminal: Terminal, *, at: datetime, until: datetime) -> str:
    if settings.ARTIFACTS_BUCKET:
        lasts = min(until - at, MAX_PRESIGNED)
        storage: Any = storages["artifacts"]
        return str(storage.url(artifact.file.name, expire=max(int(lasts.total_seconds()), 1)))
    token = signing.dumps([artifact.pk, terminal.pk, int(until.timestamp())], salt=SALT)
    return f"/download/{token}"


def read(token: str) -> DownloadGrant | None:
    """None for an address that TMS has not made."""
    try:
        artifact, terminal, ends = signing.loads(token[:MAX_TOKEN], salt=SALT)
    except signing.BadSignature:
        return None
    return DownloadGrant(artifact, terminal, datetime.fromtimestamp(ends, UTC))
