"""The file of an artifact for people. Terminals have addresses of their own."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from tms.accounts.audit import recorder
from tms.artifacts.models import Artifact
from tms.artifacts.objects import PIECE_BYTES, objects


def content_of(artifact: Artifact) -> HttpResponseBase:
    """Recorded in the audit trail. Raises Http404 if the storage no longer has it."""
    try:
        objects().read(str(artifact.file.name), 0, 1)
    except FileNotFoundError:
        raise Http404 from None
    with transaction.atomic():
        recorder.record("file-downloaded", artifact, {"sha256": (None, artifact.sha256)})
    name = f"{artifact.name}-{artifact.version}.{artifact.format}"
    headers = {
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Content-Length": str(artifact.size),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingHttpResponse(_pieces(artifact), content_type="application/octet-stream", headers=headers)


async def _pieces(artifact: Artifact) -> AsyncIterator[bytes]:
    read = sync_to_async(objects().read)
    for offset in range(0, artifact.size, PIECE_BYTES):
        yield await read(str(artifact.file.name), offset, PIECE_BYTES)
