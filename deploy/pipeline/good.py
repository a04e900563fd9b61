"""The releases that passed the checklist, newest first. A rollback only returns to older ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.aws import parameter, set_parameter
from deploy.pipeline.failure import NoEarlierRelease

NONE = "(none)"
"""The value of a parameter may not be empty."""
MOST_LISTED = 10
"""An SSM parameter holds 4 KB; an image by its digest takes 130 bytes."""


@dataclass(frozen=True, slots=True)
class GoodReleases:
    """The SSM parameter `/NAME/releases/good`: a JSON list of releases (EC2) or of images by digest (ECS)."""

    name: str
    images: bool
    """Whether to read images or releases: after a move from EC2 to ECS the list has both."""

    @property
    def parameter(self) -> str:
        return f"/{self.name}/releases/good"

    def all(self) -> Sequence[str]:
        """The good releases, newest first; empty before the first deployment that passed its checklist."""
        return [one for one in self._read_stored() if ("@sha256:" in one) is self.images]

    def mark(self, release: str) -> None:
        """Put `release` first: it is current, and has passed its checklist."""
        self._store([release, *(one for one in self._read_stored() if one != release)])

    def remove(self, release: str) -> None:
        """Remove `release` after a rollback from it: no later rollback may return to it."""
        self._store([one for one in self._read_stored() if one != release])

    def before(self, current: str) -> str:
        """The newest good release older than `current`. Raises NoEarlierRelease.

        A release outside the list never passed its checklist: then the newest of the list is the one before it.
        """
        known = self.all()
        older = known[known.index(current) + 1 :] if current in known else known
        if not older:
            raise NoEarlierRelease(
                f"{self.parameter} lists no good release older than {current}, and a rollback never goes forward; "
                f"to choose one yourself: --to RELEASE (listed: {', '.join(known) or 'none'})"
            )
        return older[0]

    def next(self) -> str:
        """The release of a rollout in place that is not complete: some machines run it. Empty if there is none."""
        return parameter(self._next, NONE).removeprefix(NONE)

    def set_next(self, release: str) -> None:
        set_parameter(self._next, release or NONE)

    @property
    def _next(self) -> str:
        return f"/{self.name}/releases/next"

    def _read_stored(self) -> list[str]:
        return [str(one) for one in json.loads(parameter(self.parameter, "[]"))]

    def _store(self, releases: Sequence[str]) -> None:
        set_parameter(self.parameter, json.dumps(list(releases[:MOST_LISTED])))
