"""Live pages: each is rendered once for all boards that show the same, and its subscribers get what changed."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import NamedTuple

from django.utils import translation
from msgspec import UNSET, structs

from tms.accounts.scope import Scope
from tms.boards.live import frames
from tms.boards.live.frames import Freshness, ListMoves, PendingUpdate
from tms.boards.live.leaf_patches import differing, leaves
from tms.boards.live.list_moves import moves
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import BoardPage, PagePart, PageState, RenderContext
from tms.boards.rendering.renderer import render_part_for_frame
from tms.feed.change import Change

MAX_RENDERING_S = 0.1
"""Time for the changed rows of a page in one pass. It usually suffices for all of them. In a storm the first rows, the
incidents, are sent before the others are rendered.
"""

type RenderCache = dict[tuple[str, str, str], list[tuple[PagePart, str]]]
"""HTML of this pass by language, template and element, shared by all pages that need it. A row is the same for all
scopes; a number may have a value for each.
"""


class PageKey(NamedTuple):
    """People whose pages have equal keys share a live page."""

    address: str
    language: str
    scope: Scope
    variant: str


class Due(NamedTuple):
    """Why a page is rendered. Without a reason to read, rows of an earlier pass remain to be rendered."""

    change: Change
    """What changed within its scope."""
    must_be_read: bool
    has_stale_alarms: bool
    """Whether the sound alarms must be read, if not the whole page."""

    def __bool__(self) -> bool:
        return self.must_be_read or self.has_stale_alarms


@dataclass(frozen=True, slots=True)
class Rendering:
    """Result of rendering a page."""

    page_state: PageState
    shown: PageState
    """What was rendered of `page_state`. The other rows follow in the next passes."""
    html: Mapping[str, str]
    leaves: Mapping[str, Mapping[str, str]]
    """HTML of the leaves by element."""
    pending: PendingUpdate
    """What changed."""
    moves: Mapping[str, ListMoves]
    """Moves from the previous order of each list."""
    is_whole: bool
    """Whether more than the viewers was read again."""


class LivePage:
    """A page in one language as it was last rendered, with its subscribers. All of them have the page's scope."""

    def __init__(self, page: BoardPage, language: str) -> None:
        self.page = page
        self.language = language
        self.subscribers: set[Subscriber] = set()
        self.page_state: PageState | None = None
        """The state as it was read last."""
        self.shown: PageState | None = None
        """What is rendered of it."""
        self.html: Mapping[str, str] = {}
        self.leaves: Mapping[str, Mapping[str, str]] = {}
        self.moves: Mapping[str, ListMoves] = {}
        self.has_missed = False
        """Rendering failed: the next pass reads everything."""
        self._rendered_at = 0.0

    @property
    def key(self) -> PageKey:
        return PageKey(self.page.address, self.language, self.page.scope, self.page.variant)

    @property
    def is_partial(self) -> bool:
        """Whether rows remain to be rendered. After a failure the page waits until it must be read."""
        return self.shown is not self.page_state and not self.has_missed

    def must_be_read(self, change: Change, *, now: float) -> bool:
        """Whether `change` or time may have changed it."""
        lasts_s = min(self.page.lasts_s, self.page_state.lasts_s if self.page_state else inf)
        is_old = now - self._rendered_at > lasts_s
        has_new_viewers = any(map(self.has_element, change.viewings))
        return self.page_state is None or is_old or has_new_viewers or change.approvals or self.page.concerns(change)

    def has_element(self, element_id: str) -> bool:
        """Whether the page shows this alert or incident."""
        return self.page_state is not None and element_id in self.page_state.parts

    def shows_status(self, terminals: Collection[int]) -> bool:
        """Whether a person sees the status of one of these on the page."""
        return self.page_state is not None and self.page.shows_status(terminals, self.page_state)

    def due(self, change: Change, *, has_stale_alarms: bool, now: float) -> Due | None:
        """Why it must be rendered; None if it need not be."""
        due = Due(change, self.must_be_read(change, now=now), has_stale_alarms)
        return due if due or self.is_partial else None

    def render(self, context: RenderContext, due: Due, rendered: RenderCache) -> Rendering:
        """Runs in the render thread; changes nothing here until `commit`."""
        before = self.shown
        with translation.override(self.language):
            page_state, is_whole = self._read(context, due)
            # Only an update may stop half-way: a person who opens a page, or whose feed had a gap, gets all of it.
            is_update = before is not None and not self.has_missed and not due.change.everything
            shown, html = self._render_parts(page_state, rendered, max_s=MAX_RENDERING_S if is_update else inf)
        # Equal HTML need not be sent, even if the values differ: a row may not show all of them.
        changed = {name for name in html if html[name] != self.html.get(name)}
        within = {name: leaves(html[name]) if name in changed else self.leaves[name] for name in html}
        changed_ids = {piece for name in changed for piece in _changed_elements(name, self.html.get(name), html[name])}
        pending = _pending_update(shown, before, changed_ids)
        return Rendering(page_state, shown, html, within, pending, _moves(shown, before, pending.lists), is_whole)

    def _read(self, context: RenderContext, due: Due) -> tuple[PageState, bool]:
        """The state of the page, and whether all of it was read again, as far as `change` concerns it."""
        before = None if self.has_missed else self.page_state
        if before is not None and not due.must_be_read:
            return self.page.with_alarms(context, before) if due.has_stale_alarms else before, False
        if before is not None and _is_of_viewers(due.change):
            return self.page.with_viewers(context, due.change, before), False
        return self.page.page_state(context, due.change, before), True

    def _render_parts(
        self, page_state: PageState, rendered: RenderCache, *, max_s: float
    ) -> tuple[PageState, dict[str, str]]:
        """What is shown then, and its HTML. After `max_s` a changed row stays as it is, and a new one is omitted."""
        old = self.shown.parts if self.shown else {}
        rows = dict.fromkeys(name for ids in page_state.lists.values() for name in ids)
        fresh = {name: part for name, part in page_state.parts.items() if old.get(name) != part}
        html = {name: self._html(name, part, rendered) for name, part in fresh.items() if name not in rows}
        html |= self._rows_in_time([(name, fresh[name]) for name in rows if name in fresh], rendered, max_s=max_s)
        late = fresh.keys() - html.keys()
        shown = {
            name: old[name] if name in late else part
            for name, part in page_state.parts.items()
            if name not in late or name in old
        }
        all_html = {name: html[name] if name in html else self.html[name] for name in shown}
        if not late:
            return page_state, all_html
        lists = {listed: tuple(name for name in ids if name in shown) for listed, ids in page_state.lists.items()}
        return replace(page_state, parts=shown, lists=lists), all_html

    def _rows_in_time(
        self, rows: Sequence[tuple[str, PagePart]], rendered: RenderCache, *, max_s: float
    ) -> Iterator[tuple[str, str]]:
        """The HTML of the first row, and of as many others as time allows."""
        ends_at = time.monotonic() + max_s
        for name, part in rows:
            yield name, self._html(name, part, rendered)
            if time.monotonic() > ends_at:
                break

    def commit(self, rendering: Rendering, *, now: float) -> None:
        self.page_state, self.shown = rendering.page_state, rendering.shown
        self.html, self.leaves, self.moves = rendering.html, rendering.leaves, rendering.moves
        if rendering.is_whole:
            self.has_missed, self._rendered_at = False, now

    def send(self, pending: PendingUpdate, freshness: Freshness, *, now: float) -> None:
        """Send each subscriber its pending update. Subscribers with no other pending update share one encoding."""
        if self.shown is None:
            return
        lists = self.shown.lists
        repaint = cache(lambda: frames.repaint(self.html, lists, freshness))
        # Encoded at most once for all subscribers who have nothing else pending, which are most.
        update = cache(
            lambda is_known: self._patch(
                pending, _without_verification(freshness) if is_known else freshness, self.moves
            )
        )
        for subscriber in tuple(self.subscribers):
            is_clear = not subscriber.pending
            subscriber.add_pending(pending)
            # What is pending for a slow reader grows only by names: it gets the newest state of each.
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
        assert self.shown is not None
        within = (leaf for leaves in self.leaves.values() for leaf in leaves.items())
        return frames.patch(pending, {**self.html, **dict(within)}, self.shown.lists, freshness, moves)

    def _html(self, name: str, part: PagePart, rendered: RenderCache) -> str:
        known = rendered.setdefault((self.language, part.template, name), [])
        for other, html in known:
            if other == part:
                return html
        html = render_part_for_frame(name, part)
        known.append((part, html))
        return html


def _is_of_viewers(change: Change) -> bool:
    return bool(change.viewings) and change == Change(viewings=change.viewings)


def _without_verification(freshness: Freshness) -> Freshness:
    """The freshness for subscribers that have received this verification."""
    return structs.replace(freshness, database=UNSET)


def _changed_elements(name: str, before: str | None, now: str) -> Collection[str]:
    """The smallest set of elements to send for an element that changed."""
    within = differing(before, now) if before is not None else None
    return (name,) if within is None else within


def _pending_update(shown: PageState, before: PageState | None, changed: set[str]) -> PendingUpdate:
    lists = before.lists if before else {}
    moved = {name for name, ids in shown.lists.items() if lists.get(name) != ids}
    added = {row for name in moved for row in shown.lists[name] if row not in lists.get(name, ())}
    # A row may have been removed and added again unchanged, after the browser removed it.
    return PendingUpdate(changed | added, moved, added)


def _moves(shown: PageState, before: PageState | None, lists: Collection[str]) -> dict[str, ListMoves]:
    """Moves of the lists whose previous order is known."""
    known = {name: before.lists[name] for name in lists if name in before.lists} if before else {}
    found = ((name, moves(name, ids, shown.lists.get(name, ()))) for name, ids in known.items())
    return {name: move for name, move in found if move is not None}
