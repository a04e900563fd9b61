"""Rejects parts of what a terminal sends, by name, and accepts the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tms.protocol import frames
from tms.protocol.errors import ErrorType, FrameError
from tms.protocol.limits import METRIC_BOUND, METRIC_NAMES, RESERVED_CODES

if TYPE_CHECKING:
    from collections.abc import Collection

type Refused = Sequence[FrameError]

MAX_NAMED = 5
"""Metrics in one message."""


def report_of(report: frames.ReportFrame) -> tuple[Refused, frames.ReportFrame]:
    """The report without metrics out of bounds and events of reserved codes; unchanged if there are none."""
    refused = [*out_of_bounds(report.metrics, "$.params.metrics"), *_reserved_codes(report.events)]
    if not refused:
        return (), report
    events = tuple(event for event in report.events if not event.code.startswith(RESERVED_CODES))
    return refused, replace(report, metrics=_within(report.metrics), events=events)


def boot_of(boot: frames.BootFrame) -> tuple[Refused, frames.BootFrame]:
    """The same for the state in a boot."""
    refused = out_of_bounds(boot.full.metrics, "$.params.full.metrics")
    if not refused:
        return (), boot
    return refused, replace(boot, full=replace(boot.full, metrics=_within(boot.full.metrics)))


def out_of_bounds(metrics: Mapping[str, float] | UnsetType, where: str) -> Refused:
    if metrics is UNSET:
        return ()
    beyond = {name: value for name, value in metrics.items() if not -METRIC_BOUND <= value <= METRIC_BOUND}
    if not beyond:
        return ()
    named = _name([f"{name} is {value!r}" for name, value in beyond.items()])
    message = f"{named}; must be from {-METRIC_BOUND:g} to {METRIC_BOUND:g}. The rest was stored"
    return (FrameError(ErrorType.PART_REFUSED, message, where=f"{where}.{next(iter(beyond))}"),)


def beyond_names(names: Collection[str]) -> FrameError:
    """The error for metrics beyond their terminal's limit of names."""
    message = (
        f"{_name(sorted(names))} not stored: limit of {METRIC_NAMES} metric names per terminal reached; "
        "use the same name for the same reading. The rest was stored"
    )
    return FrameError(ErrorType.PART_REFUSED, message, where=f"$.params.metrics.{min(names)}")


def _reserved_codes(events: Sequence[frames.TerminalEvent]) -> Refused:
    for number, event in enumerate(events):
        if event.code.startswith(RESERVED_CODES):
            message = (
                f"codes beginning with `{RESERVED_CODES}` are reserved for events of TMS; use another code. "
                f"{event.code} was not stored, the rest was"
            )
            return (FrameError(ErrorType.PART_REFUSED, message, where=f"$.params.events[{number}].code"),)
    return ()


def _within(metrics: dict[str, float] | UnsetType) -> dict[str, float] | UnsetType:
    if metrics is UNSET:
        return UNSET
    return {name: value for name, value in metrics.items() if -METRIC_BOUND <= value <= METRIC_BOUND}


def _name(what: Sequence[str]) -> str:
    more = len(what) - MAX_NAMED
    return ", ".join(what[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
