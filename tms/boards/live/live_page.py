from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from django.utils import translation
from msgspec import UNSET, structs

from tms.boards.live import frames
from tms.boards.live.frames import Freshness, Moves, PendingUpdate
from tms.boards.live.leaf_patches import differing, leaves
from tms.boards.live.list_moves import moves
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import Page, PagePart, PageState, RenderContext
from tms.boards.rendering.renderer import render_part_for_frame
from tms.feed.change import Change

type RenderCache = dict[tuple[str, str, str], tuple[PagePart, str]]
"""By language, template and element: rendered in this pass, for whichever show needs the same."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a pass made of a show."""

    scene: PageState
    html: Mapping[str, str]
    leaves: Mapping[str, Mapping[str, str]]
    """By element, the HTML of those within."""
    owed: PendingUpdate
    """What is new in it."""
    moves: Mapping[str, Moves]
    """From the orders of the painting before."""
    is_whole: bool
    """Or only told who is where."""


class LivePage:
    """A page in a language, kept as it was last painted, and the seats in front of it."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language
        self.seats: set[Subscriber] = set()
        self.scene: PageState | None = None
        self.html: Mapping[str, str] = {}
        self.leaves: Mapping[str, Mapping[str, str]] = {}
        self.moves: Mapping[str, Moves] = {}
        self.has_missed = False
        """A painting failed: the next one reads everything."""
        self._painted_at = 0.0

    def is_due(self, change: Change, *, now: float) -> bool:
        is_old = now - self._painted_at > self.page.lasts_s
        is_looked_at = any(map(self.shows, change.looks))
        return self.scene is None or is_old or is_looked_at or self.page.concerns(change)

    def shows(self, place: str) -> bool:
        """Whether the page has a row, or is the page, of this alert or incident."""
        return self.scene is not None and place in self.scene.parts

    def paint(self, desk: RenderContext, change: Change, painted: RenderCache) -> Rendering:
        """Runs in the studio's thread; changes nothing here until `hang`."""
        before = self.scene
        with translation.override(self.language):
            is_whole = before is None or self.has_missed or not _is_of_viewers(change)
            scene = self._scene(desk, change, is_whole=is_whole)
            old = before.parts if before else {}
            fresh = {name for name, part in scene.parts.items() if old.get(name) != part}
            html = {
                name: self._html(name, part, painted) if name in fresh else self.html[name]
                for name, part in scene.parts.items()
            }
        # Equal HTML needs no sending, though its values differ: a presence that a row does not show, for one.
        changed = {name for name in fresh if html[name] != self.html.get(name)}
        within = {name: leaves(html[name]) if name in changed else self.leaves[name] for name in html}
        news = {piece for name in changed for piece in _changed_elements(name, self.html.get(name), html[name])}
        owed = _pending_update(scene, before, news)
        return Rendering(scene, html, within, owed, _moves(scene, before, owed.lists), is_whole)

    def _scene(self, desk: RenderContext, change: Change, *, is_whole: bool) -> PageState:
        if self.scene is not None and not is_whole:
            return self.page.looked_at(desk, change, self.scene)
        return self.page.scene(desk, change, None if self.has_missed else self.scene)

    def hang(self, painting: Rendering, *, now: float) -> None:
        self.scene, self.html, self.leaves = painting.scene, painting.html, painting.leaves
        self.moves = painting.moves
        if painting.is_whole:
            self.has_missed, self._painted_at = False, now

    def send(self, owed: PendingUpdate, proof: Freshness, *, now: float) -> None:
        """To every seat what it is owed; who only owes this pass's news shares one encoding of it."""
        if self.scene is None:
            return
        lists = self.scene.lists
        repaint = cache(lambda: frames.repaint(self.html, lists, proof))
        news = cache(lambda is_told: self._patch(owed, _without_verification(proof) if is_told else proof, self.moves))
        for seat in tuple(self.seats):
            is_clear = not seat.owed
            seat.owe(owed)
            if seat.is_lagging:
                continue
            if seat.wants_repaint:
                seat.send(repaint(), kind="repaint", proof=proof, now=now)
            elif is_clear and owed:
                seat.send(news(seat.told == proof.database), kind="patch", proof=proof, now=now)
            elif seat.owed:
                seat.send(self._patch(seat.owed, proof, {}), kind="patch", proof=proof, now=now)

    def _patch(self, owed: PendingUpdate, proof: Freshness, moves: Mapping[str, Moves]) -> list[str]:
        assert self.scene is not None
        within = (leaf for leaves in self.leaves.values() for leaf in leaves.items())
        return frames.patch(owed, {**self.html, **dict(within)}, self.scene.lists, proof, moves)

    def _html(self, name: str, part: PagePart, painted: RenderCache) -> str:
        key = (self.language, part.template, name)
        known = painted.get(key)
        if known is None or known[0] != part:
            known = painted[key] = (part, render_part_for_frame(name, part))
        return known[1]


def _is_of_viewers(change: Change) -> bool:
    return bool(change.looks) and change == Change(looks=change.looks)


def _without_verification(proof: Freshness) -> Freshness:
    """For whoever has heard the verdict on the database."""
    return structs.replace(proof, database=UNSET)


def _changed_elements(name: str, before: str | None, now: str) -> Collection[str]:
    """The names of what must be sent of an element that changed: as little as will do."""
    within = differing(before, now) if before is not None else None
    return (name,) if within is None else within


def _pending_update(scene: PageState, before: PageState | None, changed: set[str]) -> PendingUpdate:
    lists = before.lists if before else {}
    moved = {name for name, ids in scene.lists.items() if lists.get(name) != ids}
    added = {row for name in moved for row in scene.lists[name] if row not in lists.get(name, ())}
    # A row may have gone and come back unchanged while the browser has dropped it.
    return PendingUpdate(changed | added, moved, added)


def _moves(scene: PageState, before: PageState | None, lists: Collection[str]) -> dict[str, Moves]:
    """Of the lists that somebody has in their order before."""
    known = {name: before.lists[name] for name in lists if name in before.lists} if before else {}
    found = ((name, moves(name, ids, scene.lists.get(name, ()))) for name, ids in known.items())
    return {name: few for name, few in found if few is not None}
