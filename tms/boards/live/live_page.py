from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from django.utils import translation
from msgspec import UNSET, structs

from tms.boards.live import frames
from tms.boards.live.frames import Freshness, ListMoves, PendingUpdate
from tms.boards.live.leaf_patches import differing, leaves
from tms.boards.live.list_moves import moves
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import BoardPage, PagePart, PageState, RenderContext
from tms.boards.rendering.renderer import render_part_for_frame
from tms.feed.change import Change

type RenderCache = dict[tuple[str, str, str], tuple[PagePart, str]]
"""By language, template and element: HTML of this pass, shared by all pages that need it."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """Result of rendering a page."""

    page_state: PageState
    html: Mapping[str, str]
    leaves: Mapping[str, Mapping[str, str]]
    """HTML of the leaves by element."""
    pending: PendingUpdate
    """What changed."""
    moves: Mapping[str, ListMoves]
    """Moves from the previous order of each list."""
    is_whole: bool
    """False if only the viewers were updated."""


class LivePage:
    """A page in one language as it was last rendered, with its subscribers."""

    def __init__(self, page: BoardPage, language: str) -> None:
        self.page = page
        self.language = language
        self.subscribers: set[Subscriber] = set()
        self.page_state: PageState | None = None
        self.html: Mapping[str, str] = {}
        self.leaves: Mapping[str, Mapping[str, str]] = {}
        self.moves: Mapping[str, ListMoves] = {}
        self.has_missed = False
        """Rendering failed: the next pass reads everything."""
        self._rendered_at = 0.0

    def is_due(self, change: Change, *, now: float) -> bool:
        is_old = now - self._rendered_at > self.page.lasts_s
        has_new_viewers = any(map(self.has_element, change.viewings))
        return self.page_state is None or is_old or has_new_viewers or self.page.concerns(change)

    def has_element(self, element_id: str) -> bool:
        """Whether the page shows this alert or incident."""
        return self.page_state is not None and element_id in self.page_state.parts

    def render(self, context: RenderContext, change: Change, rendered: RenderCache) -> Rendering:
        """Runs in the render thread; changes nothing here until `commit`."""
        before = self.page_state
        with translation.override(self.language):
            is_whole = before is None or self.has_missed or not _is_of_viewers(change)
            page_state = self._scene(context, change, is_whole=is_whole)
            old = before.parts if before else {}
            fresh = {name for name, part in page_state.parts.items() if old.get(name) != part}
            html = {
                name: self._html(name, part, rendered) if name in fresh else self.html[name]
                for name, part in page_state.parts.items()
            }
        # Equal HTML need not be sent, even if the values differ: a row may not show all of them.
        changed = {name for name in fresh if html[name] != self.html.get(name)}
        within = {name: leaves(html[name]) if name in changed else self.leaves[name] for name in html}
        changed_ids = {piece for name in changed for piece in _changed_elements(name, self.html.get(name), html[name])}
        pending = _pending_update(page_state, before, changed_ids)
        return Rendering(page_state, html, within, pending, _moves(page_state, before, pending.lists), is_whole)

    def _scene(self, context: RenderContext, change: Change, *, is_whole: bool) -> PageState:
        if self.page_state is not None and not is_whole:
            return self.page.with_viewers(context, change, self.page_state)
        return self.page.page_state(context, change, None if self.has_missed else self.page_state)

    def commit(self, rendering: Rendering, *, now: float) -> None:
        self.page_state, self.html, self.leaves = rendering.page_state, rendering.html, rendering.leaves
        self.moves = rendering.moves
        if rendering.is_whole:
            self.has_missed, self._rendered_at = False, now

    def send(self, pending: PendingUpdate, freshness: Freshness, *, now: float) -> None:
        """Send each subscriber its pending update. Subscribers with no other pending update share one encoding."""
        if self.page_state is None:
            return
        lists = self.page_state.lists
        repaint = cache(lambda: frames.repaint(self.html, lists, freshness))
        update = cache(
            lambda is_known: self._patch(
                pending, _without_verification(freshness) if is_known else freshness, self.moves
            )
        )
        for subscriber in tuple(self.subscribers):
            is_clear = not subscriber.pending
            subscriber.add_pending(pending)
            if subscriber.is_lagging:
                continue
            if subscriber.needs_repaint:
                subscriber.send(repaint(), kind="repaint", freshness=freshness, now=now)
            elif is_clear and pending:
                subscriber.send(
                    update(subscriber.last_verification == freshness.database),
                    kind="patch",
                    freshness=freshness,
                    now=now,
                )
            elif subscriber.pending:
                subscriber.send(
                    self._patch(subscriber.pending, freshness, {}), kind="patch", freshness=freshness, now=now
                )

    def _patch(self, pending: PendingUpdate, freshness: Freshness, moves: Mapping[str, ListMoves]) -> list[str]:
        assert self.page_state is not None
        within = (leaf for leaves in self.leaves.values() for leaf in leaves.items())
        return frames.patch(pending, {**self.html, **dict(within)}, self.page_state.lists, freshness, moves)

    def _html(self, name: str, part: PagePart, rendered: RenderCache) -> str:
        key = (self.language, part.template, name)
        known = rendered.get(key)
        if known is None or known[0] != part:
            known = rendered[key] = (part, render_part_for_frame(name, part))
        return known[1]


def _is_of_viewers(change: Change) -> bool:
    return bool(change.viewings) and change == Change(viewings=change.viewings)


def _without_verification(freshness: Freshness) -> Freshness:
    """For subscribers that have received this verification."""
    return structs.replace(freshness, database=UNSET)


def _changed_elements(name: str, before: str | None, now: str) -> Collection[str]:
    """The smallest set of elements to send for an element that changed."""
    within = differing(before, now) if before is not None else None
    return (name,) if within is None else within


def _pending_update(page_state: PageState, before: PageState | None, changed: set[str]) -> PendingUpdate:
    lists = before.lists if before else {}
    moved = {name for name, ids in page_state.lists.items() if lists.get(name) != ids}
    added = {row for name in moved for row in page_state.lists[name] if row not in lists.get(name, ())}
    # A row may have been removed and added again unchanged, after the browser removed it.
    return PendingUpdate(changed | added, moved, added)


def _moves(page_state: PageState, before: PageState | None, lists: Collection[str]) -> dict[str, ListMoves]:
    """Moves of the lists whose previous order is known."""
    known = {name: before.lists[name] for name in lists if name in before.lists} if before else {}
    found = ((name, moves(name, ids, page_state.lists.get(name, ()))) for name, ids in known.items())
    return {name: move for name, move in found if move is not None}
