"""The documents of the device API. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

ACTION_BITS = 31
"""Updaters read the number of an action as a signed integer of 32 bits."""


class Deployment(NamedTuple):
    """What one terminal is to install."""

    action: int
    name: str
    version: str
    file_name: str
    size: int
    sha1: str
    sha256: str
    url: str


def action_number(command: int) -> int:
    """The number of a command as an action. It is unique among the last commands of a terminal."""
    return command % (1 << ACTION_BITS) or (1 << ACTION_BITS) - 1


def poll(sleep_s: float, links: Mapping[str, str]) -> dict[str, Any]:
    """`sleep_s`: when to poll again. `links`: what the terminal shall fetch or send."""
    document: dict[str, Any] = {"config": {"polling": {"sleep": _clock(sleep_s)}}}
    if links:
        document["_links"] = {name: {"href": href} for name, href in links.items()}
    return document


def deployment(what: Deployment) -> dict[str, Any]:
    """`update` is never left out: swupdate then reports a success without installing anything."""
    scheme = "download" if what.url.startswith("https:") else "download-http"
    artifact = {
        "filename": what.file_name,
        "hashes": {"sha1": what.sha1, "sha256": what.sha256},
        "size": what.size,
        "_links": {scheme: {"href": what.url}},
    }
    chunk = {"part": "os", "name": what.name, "version": what.version, "artifacts": [artifact]}
    return {"id": str(what.action), "deployment": {"download": "forced", "update": "forced", "chunks": [chunk]}}


def cancellation(action: int) -> dict[str, Any]:
    return {"id": str(action), "cancelAction": {"stopId": str(action)}}


def _clock(seconds: float) -> str:
    """`HH:MM:SS`. Zero would mean the updater's own default."""
    whole = min(max(round(seconds), 1), 24 * 3600 - 1)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
