"""The agent and the server share no code, so this compares their two sides of the link."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tms import protocol
from tms.lib.db import version_order
from tms.protocol import close_codes, credential, downlink, errors, frames, limits, uplink
from tms_agent import protocol as own
from tms_agent import reports
from tms_agent.device.source import DeviceSample
from tms_agent.protocol import close_codes as own_close_codes
from tms_agent.protocol import credential as own_credential
from tms_agent.protocol import downlink as own_downlink
from tms_agent.protocol import errors as own_errors
from tms_agent.protocol import frames as own_frames
from tms_agent.protocol import instants, json_text
from tms_agent.protocol import limits as own_limits
from tms_agent.protocol import uplink as own_uplink
from tms_agent.protocol.reader import Reader
from tms_agent.updating import version_order as own_version_order

AT = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=OFFSETS)  # noqa: DTZ001
WORDS = st.text(st.characters(min_codepoint=32, exclude_categories=["C", "Z"]), min_size=1, max_size=64)
TEXTS = WORDS | st.just("")
METRICS = st.dictionaries(
    st.sampled_from(["a", "cpu_pct", "slot.9_full", "m" * 64]), st.floats(-limits.METRIC_BOUND, limits.METRIC_BOUND)
)
STATUSES = st.sampled_from([None, *get_args(own_frames.Status)])
EVENTS = st.builds(
    own_frames.TerminalEvent,
    INSTANTS,
    st.sampled_from(["door_open", "0", "a-b.c", "e" * 64]),
    st.sampled_from(get_args(own_frames.Severity)),
    TEXTS,
)
REPORTS = st.builds(
    own_frames.ReportFrame,
    st.integers(0, limits.SEQ_MAX),
    INSTANTS,
    STATUSES,
    st.none() | METRICS,
    st.lists(EVENTS, max_size=3).map(tuple),
    st.booleans(),
    st.none() | WORDS,
)
BOOTS = st.builds(
    own_frames.BootFrame,
    WORDS,
    st.floats(0, 1e12),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(WORDS, max_size=3).map(tuple),
    st.integers(0, limits.SEQ_MAX),
    st.builds(own_frames.FullState, STATUSES, st.none() | METRICS),
    st.lists(WORDS, max_size=2).map(tuple),
    st.dictionaries(WORDS, st.integers(1, limits.SEQ_MAX), max_size=2),
    st.dictionaries(WORDS, WORDS, max_size=2),
    st.none() | st.integers(0, limits.SEQ_MAX),
    st.booleans(),
)
PROGRESS = st.builds(own_frames.ProgressFrame, WORDS, st.none() | st.floats(0, 100), TEXTS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
ONE_FOR_ALL = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def command_with(**changes):
    """A command with an upload that differs by `changes`."""
    offer = {"path": "/upload/x", "max_bytes": 9, "part_bytes": 3, "media_types": ["text/plain"]} | changes
    params = {"name": "logs", "args": {}, "deadline": "2026-11-25T00:30:00Z", "uploads": [offer]}
    return {"method": "command", "id": 1, "params": params}


@pytest.fixture(params=[True, False], ids=["msgspec", "standard library"], autouse=True)
def _with_either_codec(request, monkeypatch):
    monkeypatch.setattr(json_text, "_is_fast", request.param)


def on_the_server(data: bytes) -> list[uplink.Uplink | errors.FrameError]:
    return list(uplink.decode(data))


def known(frame: object) -> object:
    """A frame as plain values that both sides have, without what is absent."""
    if isinstance(frame, list | tuple):
        return [known(one) for one in frame]
    if isinstance(frame, msgspec.Struct):
        return {name: known(value) for name, value in msgspec.structs.asdict(frame).items() if value is not UNSET}
    if hasattr(frame, "__dataclass_fields__"):
        members = {name: getattr(frame, name) for name in frame.__dataclass_fields__}
        return {name: known(value) for name, value in members.items() if value is not None or name == "at"}
    return frame


# What the agent sends


@ONE_FOR_ALL
@given(BOOTS, st.integers(-limits.SEQ_MAX, limits.SEQ_MAX))
def test_the_server_reads_a_boot(boot, request_id):
    [call] = on_the_server(own_uplink.boot(boot, request_id))

    assert (call.id, known(call.params)) == (request_id, known(boot))


@ONE_FOR_ALL
@given(REPORTS)
@example(own_frames.ReportFrame(1, None, late=True))
def test_the_server_reads_a_report(report):
    [call] = on_the_server(own_uplink.report(report))

    assert known(call.params) == known(report)


@ONE_FOR_ALL
@given(st.lists(REPORTS, min_size=1, max_size=5))
def test_the_server_reads_a_batch(batch):
    calls = on_the_server(own_uplink.reports(batch))

    assert [known(call.params) for call in calls] == known(batch)


@ONE_FOR_ALL
@given(st.builds(own_frames.GoodbyeFrame, st.sampled_from(get_args(own_frames.GoodbyeReason)), st.none() | INSTANTS))
def test_the_server_reads_a_goodbye(goodbye):
    [call] = on_the_server(own_uplink.goodbye(goodbye))

    assert known(call.params) == known(goodbye)


@ONE_FOR_ALL
@given(PROGRESS)
def test_the_server_reads_progress(progress):
    [call] = on_the_server(own_uplink.progress(progress))

    assert known(call.params) == known(progress)


def test_the_server_reads_a_heartbeat():
    assert on_the_server(own_uplink.heartbeat()) == [uplink.HeartbeatCall("2.0")]


@ONE_FOR_ALL
@given(WORDS, JSON)
def test_the_server_reads_a_result(request_id, result):
    assert on_the_server(own_uplink.answer(own_uplink.CommandAnswer(request_id, result))) == [
        uplink.CommandAnswer(request_id, "2.0", result)
    ]


@pytest.mark.parametrize("kind", own_errors.RPC_CODES)
def test_the_server_reads_an_error(kind):
    error = own_errors.rpc_error(kind, "the lever is stuck\nfor good")

    [answer] = on_the_server(own_uplink.answer(own_uplink.CommandAnswer(7, error=error)))

    assert answer.error == errors.FrameError(errors.ErrorType(kind.value), "the lever is stuck\nfor good").as_rpc()


@pytest.mark.parametrize("result", [float("nan"), object(), {"at": {1, 2}}, "\ud800"])
def test_a_result_that_is_no_json_value_is_never_half_sent(result):
    try:
        data = own_uplink.answer(own_uplink.CommandAnswer(1, result))
    except (TypeError, ValueError):
        return
    assert isinstance(on_the_server(data)[0], uplink.CommandAnswer)


@ONE_FOR_ALL
@given(REPORTS)
def test_a_spooled_report_comes_out_as_it_went_in(report):
    body = json_text.encode(report.as_json())

    assert own_frames.ReportFrame.read(Reader(json_text.decode(body))) == report


NAMES = st.sampled_from(["a", "a.b", "tms.x", "tmsx", "a" * 64, "a" * 65, "", "A", "é", "a\n", "9", "_", "a-b", "-"])
ODD = st.builds(
    DeviceSample,
    st.sampled_from([None, "ok", "fine"]),
    st.dictionaries(NAMES, st.floats() | st.integers(-(10**17), 10**17), max_size=3),
    st.lists(
        st.builds(own_frames.TerminalEvent, st.just(AT), NAMES, st.sampled_from(["info", "loud"]), st.text()),
        max_size=3,
    ),
)


@ONE_FOR_ALL
@given(ODD)
@example(DeviceSample("ok", {f"metric_{number}": 1.0 for number in range(65)}))
def test_the_agent_finds_a_fault_where_the_server_would(sample):
    for report in reports.reports_of(sample, first_seq=1, at=AT, event_at=lambda _: AT):
        refused = [one for one in on_the_server(own_uplink.report(report)) if isinstance(one, errors.FrameError)]

        assert bool(reports.fault_in(report)) is bool(refused)


# What the server sends


@pytest.mark.parametrize(
    "sent",
    [
        downlink.AckCall(frames.AckFrame(5)),
        downlink.AckCall(frames.AckFrame(5, "earlier")),
        downlink.CommandCall("c1", frames.CommandFrame("ping", {"size": 3, "to": [None, 1.5]}, AT)),
        downlink.CommandCall(
            "c2", frames.CommandFrame("logs", {}, AT, (frames.UploadOffer("/upload/x", 9, 3, ("text/plain",)),))
        ),
        downlink.AnsweredCall(frames.AnsweredFrame("c1")),
        downlink.ConfigCall("v1", frames.ConfigFrame(7, {"volume": 3, "text": {"ja": "\u3042"}}, AT)),
        downlink.UpdateCall("u1", frames.UpdateFrame("{}", (frames.ManifestSignature("k", "c2k="),), "/d/1", AT, 5.5)),
        downlink.UpdateCall("u1", frames.UpdateFrame("{}", (), "https://files.example.com/d?x=1", AT)),
        downlink.DrainCall(frames.DrainFrame(1, 30.5)),
        downlink.BootAnswer(1, frames.BootResult(12, 30, AT, 4, 0, frames.Limits(1, 2, 3, 4), accepts_undated=True)),
        downlink.BootAnswer(1, frames.BootResult(12, 0.5, AT, features=("answered",))),
        downlink.Refusal(None, errors.FrameError(errors.ErrorType.TOO_FAST, "too fast").as_rpc()),
        downlink.Refusal("x", errors.FrameError(errors.ErrorType.NOT_BOOTED, "boot", where="$.id").as_rpc()),
    ],
)
def test_the_agent_reads_what_the_server_sends(sent):
    read = own_downlink.decode(downlink.encode(sent).encode())

    expected = known(sent)
    expected.pop("jsonrpc")
    if "error" in expected:
        expected["error"] |= expected["error"].pop("data")
    if "result" in expected:
        expected["result"].pop("config_version")  # no agent has a configuration yet
    assert type(read).__name__ == type(sent).__name__
    assert known(read) == {name: value for name, value in expected.items() if value is not None}


def test_a_method_of_a_newer_server_is_reported_as_unknown():
    request = own_downlink.decode(b'{"jsonrpc":"2.0","id":4,"method":"dance","params":{"version":2}}')
    notice = own_downlink.decode(b'{"jsonrpc":"2.0","method":"news"}')

    assert [request, notice] == [own_downlink.Unknown("dance", 4), own_downlink.Unknown("news")]


def test_members_of_a_newer_server_are_ignored():
    answer = own_downlink.decode(
        b'{"jsonrpc":"2.0","id":1,"result":{"session":1,"heartbeat_s":30,"server_time":"2026-11-25T00:30:00Z",'
        b'"moon":"full","limits":{"frame_bytes":1024,"moons":2}}}'
    )

    assert isinstance(answer, own_downlink.BootAnswer)
    assert answer.result.limits == own_frames.Limits(frame_bytes=1024)


BOOTED = {"session": 1, "heartbeat_s": 30, "server_time": "2026-11-25T00:30:00Z"}


@pytest.mark.parametrize(
    ("frame", "where"),
    [
        ([], "$"),
        ({}, "$"),
        ({"id": 1, "result": []}, "$.result"),
        ({"id": 1, "result": {}}, "$.result"),
        ({"id": True, "result": BOOTED}, "$.id"),
        ({"id": "x" * 65, "result": BOOTED}, "$.id"),
        ({"id": 2**53, "result": BOOTED}, "$.id"),
        ({"id": 1, "result": BOOTED | {"session": 1.5}}, "$.result.session"),
        ({"id": 1, "result": BOOTED | {"heartbeat_s": "30"}}, "$.result.heartbeat_s"),
        ({"id": 1, "result": BOOTED | {"heartbeat_s": 10**400}}, "$.result.heartbeat_s"),
        ({"id": 1, "result": BOOTED | {"server_time": "2026-11-25T00:30:00"}}, "$.result.server_time"),
        ({"id": 1, "result": BOOTED | {"server_time": "2026-13-25T00:30:00Z"}}, "$.result.server_time"),
        ({"id": 1, "result": BOOTED | {"limits": {"frame_bytes": "many"}}}, "$.result.limits.frame_bytes"),
        ({"id": 1, "result": BOOTED | {"accepts_undated": 1}}, "$.result.accepts_undated"),
        ({"id": 1, "error": {"code": 1}}, "$.error"),
        ({"error": {"code": 1, "message": ""}}, "$"),
        ({"jsonrpc": "1.0", "method": "news"}, "$.jsonrpc"),
        ({"method": 1}, "$.method"),
        ({"method": "ack", "params": {"seq": None}}, "$.params.seq"),
        ({"method": "ack", "params": {"seq": 1, "boot_id": None}}, "$.params.boot_id"),
        ({"method": "drain", "params": {"reconnect_after_s": 1}}, "$.params"),
        ({"method": "command", "id": 1, "params": {"name": "", "args": {}}}, "$.params.name"),
        ({"method": "command", "id": 1, "params": {"name": "x", "args": []}}, "$.params.args"),
        ({"method": "command", "params": {}}, "$"),
        (command_with(path="https://elsewhere.example/"), "$.params.uploads[0].path"),
        (command_with(media_types=[1]), "$.params.uploads[0].media_types[0]"),
        ({"method": "config", "id": 1, "params": {"version": 1, "values": []}}, "$.params.values"),
        ({"method": "update", "id": 1, "params": {"url": "http://files.example.com/"}}, "$.params.url"),
        ({"method": "answered", "params": {"id": None}}, "$.params.id"),
        ({"method": "news", "id": None}, "$.id"),
    ],
)
def test_an_invalid_frame_is_refused_with_its_location(frame, where):
    with pytest.raises(own_errors.FrameError) as refused:
        own_downlink.decode(json.dumps(frame).encode())

    assert refused.value.where == where


@ONE_FOR_ALL
@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b"\xff\xfe{\0}\0")
@example(b'{"method":"drain","params":{"reconnect_after_s":NaN,"spread_s":1e999}}')
def test_any_input_is_a_frame_or_a_frame_error(data):
    with suppress(own_errors.FrameError):
        own_downlink.decode(data)


@given(INSTANTS)
def test_an_instant_is_written_and_read_as_by_the_server(at):
    assert msgspec.convert(instants.format_instant(at), datetime) == at
    assert instants.parse(json.loads(msgspec.json.encode(at))) == at


# What both sides define


def test_both_sides_know_the_same_constants():
    assert own.SUBPROTOCOL == protocol.SUBPROTOCOL
    assert {one.name: one.value for one in own_close_codes.CloseCode} == {
        one.name: one.value for one in close_codes.CloseCode
    }
    assert {kind.name: (kind.value, code) for kind, code in own_errors.RPC_CODES.items()}.items() <= {
        kind.name: (kind.value, code) for kind, code in errors.RPC_CODES.items()
    }.items()
    assert errors.ErrorType.PART_REFUSED.value == own_errors.ErrorType.PART_REFUSED
    assert constants(own_limits).items() <= constants(limits).items()
    assert (own_credential.UID, own_credential.SECRET) == (credential.UID, credential.SECRET)


@pytest.mark.parametrize("name", ["Status", "Severity", "GoodbyeReason"])
def test_both_sides_have_the_same_choices(name):
    assert get_args(getattr(own_frames, name)) == get_args(getattr(frames, name).__value__)


def constants(module: object) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


PARTS_OF_VERSIONS = st.sampled_from(["0", "1", "9", "10", "007", ".", "-", "+", "rc", "beta", "V", "v", "git5e"])
VERSIONS = st.lists(PARTS_OF_VERSIONS, min_size=1, max_size=8).map("".join)


@given(VERSIONS, VERSIONS)
@example("4.8.3-rc1", "4.8.3")
@example("v4.8.0", "4.8")
def test_both_sides_order_versions_alike(one, other):
    ours = version_order.version_key(one) < version_order.version_key(other)

    assert ours == (own_version_order.version_key(one) < own_version_order.version_key(other))
