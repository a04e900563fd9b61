"""Messages of terminals as text."""

import json
from typing import Any

from tests.support.builders import AT
from tms.ingest.session import Session

AT_TEXT = AT.isoformat()


async def taken(session: Session, message: str) -> None:
    """Returns when the next message may be read."""
    if (behind := session.take(message)) is not None:
        await behind


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def boot(boot_id: str = "boot-1") -> str:
    return json.dumps(call("boot", boot_id=boot_id) | {"id": 1})


def reports(first: int, last: int, **params: Any) -> str:
    return json.dumps([call("report", seq=seq, at=AT_TEXT, **params) for seq in range(first, last + 1)])
