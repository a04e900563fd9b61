"""Addresses at which a terminal downloads an artifact: each is for one terminal, and ends.

In a bucket it is a presigned URL of S3. On disk it is a path of TMS with a signature that nginx can check, so that no node
takes part: the end of the address, the terminal's site (for limits), the file and the terminal's UID.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from django.conf import settings

from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal

MAX_PRESIGNED = timedelta(days=7)
"""S3 signs for no longer."""


class AddressState(Enum):
    VALID = auto()
    EXPIRED = auto()
    FOREIGN = auto()
    """Of another terminal, changed, or made up."""


def address_of(artifact: Artifact, terminal: Terminal, *, at: datetime, until: datetime) -> str:
    if settings.ARTIFACTS_BUCKET:
        lasts = min(until - at, MAX_PRESIGNED)
        return str(artifact.file.storage.url(artifact.file.name, expire=max(int(lasts.total_seconds()), 1)))  # type: ignore[call-arg]  # that of S3 takes it
    name, ends = str(artifact.file.name), int(until.timestamp())
    signature = _signature(name, ends=ends, site=terminal.site_id, uid=terminal.uid)
    return f"/download/{signature}/{ends}/{terminal.site_id}/{name}"


def state_of(name: str, *, signature: str, ends: int, site: int, uid: str, at: datetime) -> AddressState:
    expected = _signature(name, ends=ends, site=site, uid=uid)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return AddressState.FOREIGN
    return AddressState.VALID if at.astimezone(UTC).timestamp() < ends else AddressState.EXPIRED


def signing_secret() -> str:
    """What nginx needs to check addresses; of no use for anything else."""
    return hmac.new(settings.SECRET_KEY.encode(), b"tms.artifacts.downloads", "sha256").hexdigest()


def _signature(name: str, *, ends: int, site: int, uid: str) -> str:
    # MD5, because nginx checks no other. Its collisions are of no use here: terminals choose no part of the text.
    text = f"{ends} {site} {name} {uid} {signing_secret()}"
    return urlsafe_b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).rstrip(b"=").decode()
