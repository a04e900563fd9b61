"""Builds reports from a sample within the limits of TMS."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import get_args

from tms_agent.device.source import DeviceIdentity, DeviceSample
from tms_agent.protocol import frames, json_text, limits

CALL_BYTES = 200
"""The most that a frame has beside a report: the call around it, `late` and `boot_id`."""
REPORT_BYTES = 150
"""The most that a report has beside its readings and events."""
READING_BYTES = 30
"""The most that a reading has beside its name."""
EVENT_BYTES = 100
"""The most that an event has beside its code and text."""
METRIC_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
EVENT_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def state_of(sample: DeviceSample) -> frames.FullState:
    """A probe may return a value that is not a number, which JSON cannot represent."""
    metrics = {name: float(value) for name, value in sample.metrics.items() if math.isfinite(value)}
    return frames.FullState(sample.status, metrics or None)


def reports_of(
    sample: DeviceSample,
    *,
    first_seq: int,
    at: datetime,
    event_at: Callable[[frames.TerminalEvent], datetime],
    frame_bytes: int = limits.FRAME_BYTES,
) -> Iterator[frames.ReportFrame]:
    """One report, or as many as the events need: once it has a number, a report that is too large cannot be divided.

    `at` and what `event_at` returns are by the boot clock.
    """
    state = state_of(sample)
    report = frames.ReportFrame(first_seq, at, state.status, state.metrics)
    empty = frame_bytes - CALL_BYTES - REPORT_BYTES
    room = empty - sum(len(name) + READING_BYTES for name in state.metrics or ())
    for event in sample.events:
        added = clean_event(event, event_at(event))
        size = len(json_text.encode(added.text)) + len(added.code) + EVENT_BYTES
        if size > room or len(report.events) == limits.EVENTS_PER_REPORT:
            yield report
            report, room = frames.ReportFrame(report.seq + 1, at), empty
        report = replace(report, events=(*report.events, added))
        room -= size
    yield report


def clean_event(event: frames.TerminalEvent, at: datetime) -> frames.TerminalEvent:
    return frames.TerminalEvent(at, event.code, event.severity, clean(event.text, limits.TEXT_LENGTH))


def clean(text: str, length: int = limits.NAME_LENGTH) -> str:
    """`text` without what TMS rejects: lone surrogates, U+0000, more than `length` characters."""
    return text.encode(errors="replace").decode().replace("\0", "?")[:length]


def fault_in(report: frames.ReportFrame) -> str:
    """What TMS would reject in it, and why; empty for nothing."""
    return next(_faults_in(report), "")


def clean_identity(identity: DeviceIdentity) -> DeviceIdentity:
    named = list(identity.software.items())[: limits.SOFTWARE]
    software = {clean(name): clean(version) for name, version in named if name and version}
    return DeviceIdentity(clean(identity.serial), clean(identity.model), clean(identity.firmware), software)


def _faults_in(report: frames.ReportFrame) -> Iterator[str]:
    metrics = report.metrics or {}
    if len(metrics) > limits.METRICS_PER_REPORT:
        yield f"$.params.metrics: Expected `object` of length <= {limits.METRICS_PER_REPORT}"
    for name, value in metrics.items():
        if not METRIC_NAME.fullmatch(name):
            yield f"$.params.metrics: Expected `str` matching regex '{METRIC_NAME.pattern}', got {name!r}"
        if abs(value) > limits.METRIC_BOUND:
            yield f"$.params.metrics.{name}: must be from {-limits.METRIC_BOUND:g} to {limits.METRIC_BOUND:g}"
    if report.status is not None and report.status not in get_args(frames.Status):
        yield f"$.params.status: Invalid enum value {report.status!r}"
    for number, event in enumerate(report.events):
        yield from _faults_in_event(event, f"$.params.events[{number}]")


def _faults_in_event(event: frames.TerminalEvent, where: str) -> Iterator[str]:
    if not EVENT_CODE.fullmatch(event.code):
        yield f"{where}.code: Expected `str` matching regex '{EVENT_CODE.pattern}', got {event.code!r}"
    if event.code.startswith(limits.RESERVED_CODES):
        yield f"{where}.code: codes beginning with `{limits.RESERVED_CODES}` are reserved for events of TMS"
    if event.severity not in get_args(frames.Severity):
        yield f"{where}.severity: Invalid enum value {event.severity!r}"
