"""The scope of a grant: a value that every part of the fleet can be compared with."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The terminals that grants cover: everything, or the union of regions, sites and groups."""

    is_everything: bool = False
    regions: frozenset[str] = frozenset()
    sites: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, region: str = "", site: int | None = None, group: int | None = None) -> Scope:
        """The scope of the columns of a row: a region, a site or a group; everything if all are empty."""
        if not region and site is None and group is None:
            return EVERYTHING
        return cls(
            regions=frozenset({region} if region else ()),
            sites=frozenset(() if site is None else {site}),
            groups=frozenset(() if group is None else {group}),
        )

    def __or__(self, other: Scope) -> Scope:
        if self.is_everything or other.is_everything:
            return EVERYTHING
        return Scope(
            regions=self.regions | other.regions, sites=self.sites | other.sites, groups=self.groups | other.groups
        )

    def __bool__(self) -> bool:
        """Whether it covers anything."""
        return self != NOTHING

    @property
    def key(self) -> str:
        """Canonical text, equal for equal scopes."""
        if self.is_everything:
            return "*"
        return json.dumps([sorted(self.regions), sorted(self.sites), sorted(self.groups)], separators=(",", ":"))


EVERYTHING = Scope(is_everything=True)
NOTHING = Scope()
