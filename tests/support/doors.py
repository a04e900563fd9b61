"""The doors of acts: the URLs through which each takes effect, as `docs/permissions.md` lists them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tms.approvals.acts import Act

TEXT = (Path(__file__).parents[2] / "docs/permissions.md").read_text()


def _rows() -> Iterator[tuple[str, set[str]]]:
    for line in TEXT.splitlines():
        if found := re.match(r"\| `([a-z_-]+)` \|", line):
            yield found[1], set(re.findall(r"`((?:POST|PUT|PATCH|DELETE) /[^`]*)`", line))


DOORS: Mapping[str, set[str]] = {act: urls for act, urls in _rows() if act in set(Act)}


def acts_of(url: str) -> set[str]:
    return {act for act, urls in DOORS.items() if url in urls}
