"""Files that belong to the answer of a command."""

import base64
import hashlib

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.terminal import Terminal
from tms_agent.conformance.tus import CUTS, UPLOAD_PATH

LOGS = "logs"
OFFER = {
    "path": UPLOAD_PATH,
    "max_bytes": 50_000_000,
    "part_bytes": 1_048_576,
    "media_types": ["text/plain", "application/gzip", "application/zip"],
}


@check(Level.FULL)
async def upload(terminal: Terminal) -> None:
    """The file of a command is uploaded, also if the connection breaks twice, before the answer (needs logs)."""
    link = await terminal.booted(features=["progress"])
    if LOGS not in link.boot.get("capabilities", ()):
        raise NotTested(f"{LOGS} is not among the capabilities")

    answer = await link.command("logs-1", LOGS, uploads=[OFFER])

    got = terminal.upload
    if "result" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")
    if not got.is_complete or got.cuts < CUTS:
        raise Failed(f"answered when {len(got.data)} of {got.length} bytes were here")
    if got.faults:
        raise Failed("; ".join(got.faults))
    digest = _metadata(got.metadata).get("sha256")
    if digest and digest != hashlib.sha256(got.data).hexdigest():
        raise Failed("the bytes do not have the sha256 of Upload-Metadata")


def _metadata(header: str) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in header.split(","))
    return {name: base64.b64decode(value).decode(errors="replace") for name, _, value in pairs}
