"""Snapshots of the fleet, from which replays start."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Self

from django.db import models


class Snapshot(models.Model):
    """Presences and unresolved alerts at one instant, so that a replay reads only what changed since.

    Derived from the history: it may be deleted, and is made again.
    """

    at = models.DateTimeField(unique=True)
    content = models.BinaryField()
    """Compressed JSON: the keys of terminals that were not online, by presence, and those of unresolved alerts."""

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def of(cls, at: datetime, presences: Mapping[int, str], alerts: Collection[int]) -> Self:
        """`presences`: of the terminals that were not online."""
        by_presence: dict[str, list[int]] = {}
        for terminal in sorted(presences):
            by_presence.setdefault(presences[terminal], []).append(terminal)
        content = json.dumps({"presences": by_presence, "alerts": sorted(alerts)}, separators=(",", ":"))
        return cls(at=at, content=zlib.compress(content.encode()))

    def read(self) -> tuple[dict[int, str], list[int]]:
        """The presences of terminals that were not online, and the unresolved alerts."""
        stored = json.loads(zlib.decompress(self.content))
        presences = {pk: presence for presence, pks in stored["presences"].items() for pk in pks}
        return presences, stored["alerts"]
