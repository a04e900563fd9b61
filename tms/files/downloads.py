"""Answers with the content of a file, which a browser saves, and never shows."""

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from tms.accounts.audit import recorder
from tms.files.models import TerminalFile
from tms.files.names import download_name, served_type

CHUNK = 2**17


def content_of(file: TerminalFile) -> HttpResponseBase:
    """Recorded in the audit trail. Raises Http404 if it is not complete, or no longer there."""
    if not file.is_complete:
        raise Http404
    try:
        stored = default_storage.open(file.content)
    except FileNotFoundError:
        raise Http404 from None
    with transaction.atomic():
        recorder.record("file-downloaded", file.terminal, {"file": (None, download_name(file))})
    headers = {
        "Content-Disposition": content_disposition_header(True, download_name(file)) or "attachment",
        "Content-Length": str(file.length),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return StreamingHttpResponse(_chunks(stored), content_type=served_type(file.media_type), headers=headers)


async def _chunks(stored: IO[bytes]) -> AsyncIterator[bytes]:
    with stored:
        while data := await sync_to_async(stored.read)(CHUNK):
            yield data
