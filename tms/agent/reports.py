"""Builds reports from a sample within the limits of TMS."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET

from tms.agent.device.source import DeviceIdentity, DeviceSample
from tms.protocol import frames, limits, uplink
from tms.protocol.errors import FrameError

EVENTS_BYTES = limits.FRAME_BYTES // 2
"""The rest is for the readings: 64 of them with the longest names need 6 KiB."""

_encoder = msgspec.json.Encoder()


def state_of(sample: DeviceSample) -> frames.FullState:
    """A probe may return a value that is not a number, which JSON cannot represent."""
    metrics = {name: float(value) for name, value in sample.metrics.items() if math.isfinite(value)}
    return frames.FullState(sample.status, metrics or UNSET)


def reports_of(
    sample: DeviceSample, *, first_seq: int, at: datetime, event_at: Callable[[frames.TerminalEvent], datetime]
) -> Iterator[frames.ReportFrame]:
    """One report, or as many as the events need. `at` and what `event_at` returns are by the boot clock."""
    state = state_of(sample)
    for number, events in enumerate(_parted(sample.events)):
        cleaned_events = tuple(clean_event(event, event_at(event)) for event in events)
        if number == 0:
            yield frames.ReportFrame(first_seq, at, state.status, state.metrics, cleaned_events)
        else:
            yield frames.ReportFrame(first_seq + number, at, events=cleaned_events)


def clean_event(event: frames.TerminalEvent, at: datetime) -> frames.TerminalEvent:
    return frames.TerminalEvent(at, event.code, event.severity, clean(event.text, limits.TEXT_LENGTH))


def clean(text: str, length: int = limits.NAME_LENGTH) -> str:
    """`text` without what TMS rejects: lone surrogates, U+0000, more than `length` characters."""
    return text.encode(errors="replace").decode().replace("\0", "?")[:length]


def fault_in(report: frames.ReportFrame) -> FrameError | None:
    """Why TMS would reject it."""
    decoded = next(uplink.decode(uplink.encode(uplink.ReportCall(report, "2.0"))))
    return decoded if isinstance(decoded, FrameError) else None


def cleaned(identity: DeviceIdentity) -> DeviceIdentity:
    return DeviceIdentity(clean(identity.serial), clean(identity.model), clean(identity.firmware))


def _parted(events: Sequence[frames.TerminalEvent]) -> Iterator[Sequence[frames.TerminalEvent]]:
    """At least one part, even if it is empty."""
    part: list[frames.TerminalEvent] = []
    size = 0
    for event in events:
        size += len(_encoder.encode(clean(event.text))) + 200
        if part and (size > EVENTS_BYTES or len(part) == limits.EVENTS_PER_REPORT):
            yield part
            part, size = [], 0
        part.append(event)
    yield part
