"""The updates that are over, so that one that comes again is answered and not installed again."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from tms_agent.protocol.downlink import UpdateCall
from tms_agent.protocol.frames import RequestId
from tms_agent.storage import documents

MOST = 20
FILE = "updates-finished.json"


class Finished:
    """`updates-finished.json` has the newest ones, with their answers."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def find(self, call: UpdateCall) -> dict[str, Any] | None:
        """The answer. A TMS that was restored uses ids again, for other updates."""
        wanted = {"request_id": call.id, "manifest": digest_of(call.params.manifest)}
        return next((one for one in self._read() if wanted.items() <= one.items()), None)

    def add(self, request_id: RequestId, manifest: str, **answer: Any) -> None:
        """A full disk costs the record, not the answer."""
        entry = {"request_id": request_id, "manifest": digest_of(manifest), **answer}
        with contextlib.suppress(OSError):
            documents.write(self._file, {"finished": [*self._read(), entry][-MOST:]})

    def _read(self) -> list[dict[str, Any]]:
        found = (documents.read(self._file) or {}).get("finished")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def digest_of(manifest: str) -> str:
    return hashlib.sha256(manifest.encode()).hexdigest()
