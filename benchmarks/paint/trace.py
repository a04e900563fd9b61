"""What the main thread of a page did for each change, read from a trace of Chromium's DevTools."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

CATEGORIES = ("devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing")
MARK = "change"
"""The user timing mark by which a page without a socket reports that a change has arrived."""
ARRIVALS = frozenset({"WebSocketReceive", MARK})
SCRIPT = frozenset({"FunctionCall", "EvaluateScript", "RunMicrotasks", "ParseHTML"})
STYLE, LAYOUT, COMMIT = "UpdateLayoutTree", "Layout", "Commit"
PAINT = frozenset({"PrePaint", "Paint", "Layerize", COMMIT})

type Event = Mapping[str, Any]


class Span(NamedTuple):
    """A complete event of the main thread, in µs."""

    name: str
    begin: float
    end: float
    cpu: float
    args: Mapping[str, Any]


@dataclass
class PaintedChange:
    """The work from the arrival of a change to the end of the commit with its paint. All but `elapsed_ms` is CPU
    time.
    """

    elapsed_ms: float
    script_ms: float = 0.0
    style_ms: float = 0.0
    layout_ms: float = 0.0
    paint_ms: float = 0.0
    styled: int = 0
    """Elements whose style was computed."""
    dirty: int = 0
    """Objects that had to be laid out."""
    objects: int = 0
    """Objects on the whole page."""

    @property
    def cpu_ms(self) -> float:
        return self.script_ms + self.style_ms + self.layout_ms + self.paint_ms


def painted_changes(events: Sequence[Event]) -> list[PaintedChange]:
    arrivals = sorted((event for event in events if event["name"] in ARRIVALS), key=lambda event: event["ts"])
    if not arrivals:
        return []
    spans = sorted(_spans(events, _thread(arrivals[0])), key=lambda span: (span.begin, -span.end))
    commits = [span.end for span in spans if span.name == COMMIT]
    periods = _periods([event["ts"] for event in arrivals], commits)
    return [_change(begin, end, spans) for begin, end in periods]


def _thread(event: Event) -> tuple[int, int]:
    return event["pid"], event["tid"]


def _spans(events: Iterable[Event], thread: tuple[int, int]) -> Iterator[Span]:
    for event in events:
        if event["ph"] == "X" and _thread(event) == thread:
            begin, lasted = event["ts"], event.get("dur", 0)
            yield Span(event["name"], begin, begin + lasted, event.get("tdur", lasted), event.get("args", {}))


def _periods(arrivals: Iterable[float], commits: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Changes that are painted together are one, from the arrival of the first."""
    painted_at = 0.0
    for at in arrivals:
        if at < painted_at:
            continue
        painted_at = next((end for end in commits if end > at), 0.0)
        if not painted_at:
            return
        yield at, painted_at


def _change(begin: float, end: float, spans: Iterable[Span]) -> PaintedChange:
    change = PaintedChange((end - begin) / 1e3)
    script_end = 0.0
    for span in spans:
        if not begin <= span.begin < end:
            continue
        if span.name in SCRIPT and span.end > script_end:
            change.script_ms += span.cpu / 1e3
            script_end = span.end
        _add(change, span, is_forced=span.end <= script_end)
    return change


def _add(change: PaintedChange, span: Span, *, is_forced: bool) -> None:
    """`is_forced`: a script waited for it."""
    cpu_ms = span.cpu / 1e3
    if span.name == STYLE:
        change.style_ms += cpu_ms
        change.styled += span.args.get("elementCount", 0)
    elif span.name == LAYOUT:
        laid_out = span.args.get("beginData", {})
        change.layout_ms += cpu_ms
        change.dirty += laid_out.get("dirtyObjects", 0)
        change.objects = max(change.objects, laid_out.get("totalObjects", 0))
    elif span.name in PAINT:
        change.paint_ms += cpu_ms
    if is_forced and span.name in {STYLE, LAYOUT}:
        change.script_ms -= cpu_ms
