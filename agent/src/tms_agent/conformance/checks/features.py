"""What a client understands only if it names the feature at boot: configurations and updates."""

import json
from typing import Any

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.link import Link, written
from tms_agent.conformance.schemas import array, boolean, integer, mapping, members, text
from tms_agent.conformance.terminal import Terminal

DEADLINE_S = 600
MOST_LINKS = 5
CONFIG_RESULT = members(
    {"version": integer(), "applied": array(text(most=1000), 10_000)},
    {"refused": mapping(".*", text(most=10_000), 10_000), "needs_restart": boolean},
)
VALUES = {"conformance_made_up": 1}
MANIFEST = {
    "name": "conformance",
    "models": ["made-up"],
    "version": "0",
    "format": "made-up",
    "size": 1,
    "sha256": "0" * 64,
    "expires": "2099-01-01T00:00:00Z",
}


@check(Level.FULL)
async def config(terminal: Terminal) -> None:
    """A configuration is answered with the keys that were applied and refused, or with an error (needs config)."""
    link = await _with_feature(terminal, "config")
    version = link.boot.get("config_version", 0) + 1
    await link.send(_request(link, "config", version=version, values=VALUES))
    answer = await _answer_on_any_link(terminal, link)
    if "error" in answer:
        return
    result = answer["result"]
    if faults := list(CONFIG_RESULT(result, "$.result")):
        raise Failed("; ".join(faults))
    if result["version"] != version or {*result["applied"], *result.get("refused", ())} != VALUES.keys():
        raise Failed(f"version {version} of {', '.join(VALUES)} was answered with {schemas.shown(result)}")


@check(Level.FULL)
async def update_signature(terminal: Terminal) -> None:
    """An update without a signature of a known key is refused with an error (needs update)."""
    link = await _with_feature(terminal, "update")
    signatures = [{"key": "conformance", "signature": "A" * 86 + "=="}]
    manifest = json.dumps(MANIFEST)
    await link.send(_request(link, "update", manifest=manifest, signatures=signatures, url="/download/conformance"))
    answer = await _answer_on_any_link(terminal, link)
    if "error" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")


async def _with_feature(terminal: Terminal, name: str) -> Link:
    link = await terminal.booted()
    if name not in link.boot.get("features", ()):
        raise NotTested(f"{name} is not among the features")
    return link


def _request(link: Link, method: str, **params: Any) -> dict[str, Any]:
    deadline = written(link.server_time(after_s=DEADLINE_S))
    return {"jsonrpc": "2.0", "id": method, "method": method, "params": {**params, "deadline": deadline}}


async def _answer_on_any_link(terminal: Terminal, link: Link) -> dict[str, Any]:
    """The client may connect anew, to try a configuration."""
    for _ in range(MOST_LINKS):
        try:
            return await link.answer()
        except Failed:
            if link.connection.close_code is None:
                raise
        link = await terminal.comes_back()
    raise Failed(f"no answer on {MOST_LINKS} links")
