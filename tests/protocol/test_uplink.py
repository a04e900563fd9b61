"""What terminals send: taken, or refused with what, where and what would be right."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from tms.protocol import downlink, frames, limits, uplink
from tms.protocol.errors import RPC_CODES, ErrorType, FrameError

AT = "2026-11-25T09:30:00+09:00"
GOOD_ANSWER = '{"jsonrpc":"2.0","id":"c1","result":{"lines":["a"]},"x":"y"}'


def one(text: str | bytes) -> uplink.Uplink | FrameError:
    decoded = list(uplink.decode(text))
    assert len(decoded) == 1
    return decoded[0]


def call(method: str, request_id: object = None, **params: object) -> str:
    frame = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(frame if request_id is None else frame | {"id": request_id})


def report(**params: object) -> str:
    return call("report", **{"seq": 1, "at": AT} | params)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            call("boot", 1, boot_id="b"),
            uplink.BootCall(frames.Boot("b"), 1, "2.0"),
        ),
        (
            call("boot", "x", boot_id="b", uptime_s=5, capabilities=["ping"], full={"status": "ok"}, news=[1]),
            uplink.BootCall(frames.Boot("b", 5.0, capabilities=("ping",), full=frames.State("ok")), "x", "2.0"),
        ),
        ('{"jsonrpc":"2.0","method":"heartbeat"}', uplink.HeartbeatCall("2.0")),
        (call("heartbeat"), uplink.HeartbeatCall("2.0")),
        (
            report(metrics={"cpu_pct": 1}, status="fault", late=True, boot_id="earlier"),
            uplink.ReportCall(
                frames.Report(1, datetime.fromisoformat(AT), "fault", {"cpu_pct": 1.0}, (), True, "earlier"), "2.0"
            ),
        ),
        (
            report(events=[{"at": AT, "code": "paper_out", "severity": "critical", "text": "\\u0000"}]),
            uplink.ReportCall(
                frames.Report(
                    1,
                    datetime.fromisoformat(AT),
                    events=(frames.Event(datetime.fromisoformat(AT), "paper_out", "critical", "\\u0000"),),
                ),
                "2.0",
            ),
        ),
        (call("goodbye", reason="reboot"), uplink.GoodbyeCall(frames.Goodbye("reboot"), "2.0")),
        (
            '{"jsonrpc":"2.0","id":"c1","result":{"lines":[]}}',
            uplink.Answer("c1", "2.0", {"lines": []}),
        ),
        ('{"jsonrpc":"2.0","id":"c1","result":null}', uplink.Answer("c1", "2.0", None)),
    ],
)
def test_a_good_frame_is_taken(text, wanted):
    assert one(text) == wanted
    assert one(text.encode()) == wanted


@pytest.mark.parametrize(
    ("text", "kind", "where", "message"),
    [
        ("", ErrorType.BAD_JSON, "$", "not JSON: Input data was truncated"),
        ("ping", ErrorType.BAD_JSON, "$", "not JSON: "),
        ('{"a":', ErrorType.BAD_JSON, "$", "not JSON: "),
        ("[", ErrorType.BAD_JSON, "$", "not JSON: "),
        ('{"method":"\ud800"}', ErrorType.UNKNOWN_METHOD, "$.method", "a terminal sends boot"),
        ('{"jsonrpc":"2.0","id":1,"result":"\ud800"}', ErrorType.BAD_FRAME, "$", "can't decode"),
        (b'{"jsonrpc":"2.0","id":"\xff","result":1}', ErrorType.BAD_FRAME, "$", "can't decode"),
        ("null", ErrorType.BAD_FRAME, "$", "a frame is a JSON object, or an array of reports"),
        ("{}", ErrorType.BAD_FRAME, "$", "Object missing required field `id`"),
        ("[]", ErrorType.BAD_FRAME, "$", "a batch holds 1 to 200 reports, this one holds 0"),
        ("[[]]", ErrorType.BAD_FRAME, "$", "a frame is a JSON object"),
        (f"[{call('heartbeat')}]", ErrorType.BAD_FRAME, "$", "a batch may hold reports only; send other frames alone"),
        ("[" * 17 + "]" * 17, ErrorType.TOO_DEEP, "$", "a frame nests at most 16 arrays and objects"),
        (call("dance"), ErrorType.UNKNOWN_METHOD, "$.method", "a terminal sends boot, heartbeat, report, goodbye"),
        (call("ack", seq=1), ErrorType.UNKNOWN_METHOD, "$.method", "a terminal sends boot"),
        ('{"method":["boot"]}', ErrorType.UNKNOWN_METHOD, "$.method", "a terminal sends boot"),
        ('{"method":"heartbeat"}', ErrorType.BAD_FRAME, "$", "Object missing required field `jsonrpc`"),
        ('{"jsonrpc":"1.0","method":"heartbeat"}', ErrorType.BAD_FRAME, "$.jsonrpc", "right is 2.0"),
        ('{"jsonrpc":"2.0","method":"report"}', ErrorType.BAD_FRAME, "$", "missing required field `params`"),
        (call("boot", boot_id="b"), ErrorType.BAD_FRAME, "$", "Object missing required field `id`"),
        (call("boot", 1), ErrorType.BAD_FRAME, "$.params", "Object missing required field `boot_id`"),
        (call("boot", 1, boot_id=""), ErrorType.BAD_FRAME, "$.params.boot_id", "length >= 1"),
        (call("boot", 1, boot_id="b" * 65), ErrorType.BAD_FRAME, "$.params.boot_id", "length <= 64"),
        (call("boot", 2**60, boot_id="b"), ErrorType.BAD_FRAME, "$.id", "<= 9007199254740991"),
        (call("boot", "i" * 65, boot_id="b"), ErrorType.BAD_FRAME, "$.id", "length <= 64"),
        (call("boot", True, boot_id="b"), ErrorType.BAD_FRAME, "$.id", "got `bool`"),
        (call("boot", 1, boot_id="b", uptime_s=-1), ErrorType.BAD_FRAME, "$.params.uptime_s", ">= 0"),
        (call("boot", 1, boot_id="b", capabilities=[1]), ErrorType.BAD_FRAME, "$.params.capabilities[0]", "`str`"),
        (report(seq="one"), ErrorType.BAD_FRAME, "$.params.seq", "Expected `int`, got `str`"),
        (report(seq=-1), ErrorType.BAD_FRAME, "$.params.seq", ">= 0"),
        (report(seq=2**53), ErrorType.BAD_FRAME, "$.params.seq", "<= 9007199254740991"),
        (report(at="2026-11-25T09:30:00"), ErrorType.BAD_FRAME, "$.params.at", "with a timezone"),
        (report(at="yesterday"), ErrorType.BAD_FRAME, "$.params.at", "Invalid RFC3339"),
        (report(at="1970-01-01T00:00:00Z"), ErrorType.BAD_FRAME, "$.params.at", "between the years 2000 and 2100"),
        (report(at="0001-01-01T00:00:00+23:59"), ErrorType.BAD_FRAME, "$.params.at", "between the years"),
        (report(at="9999-12-31T23:59:59-23:59"), ErrorType.BAD_FRAME, "$.params.at", "between the years"),
        (report(status="fine"), ErrorType.BAD_FRAME, "$.params.status", "right is ok or degraded or fault"),
        (report(metrics={"Cpu": 1}), ErrorType.BAD_FRAME, "$.params.metrics", "'^[a-z][a-z0-9_.]{0,63}$'"),
        (report(metrics={"cpu\n": 1}), ErrorType.BAD_FRAME, "$.params.metrics", "matching regex"),
        (report(metrics={"a": 1, "b": "2"}), ErrorType.BAD_FRAME, "$.params.metrics.b", "Expected `float`, got `str`"),
        (report(metrics={"a": True}), ErrorType.BAD_FRAME, "$.params.metrics.a", "got `bool`"),
        (
            '{"method":"report","params":{"metrics":{"a":null}},"params":{}}',
            ErrorType.BAD_FRAME,
            "$.params.metrics[...]",
            "Expected `float`, got `null`",
        ),
        (
            b'{"method":"report","params":{"metrics":{"a":null,"\xff":1}}}',
            ErrorType.BAD_FRAME,
            "$.params.metrics[...]",
            "Expected `float`, got `null`",
        ),
        (report(metrics={f"m{n}": n for n in range(65)}), ErrorType.BAD_FRAME, "$.params.metrics", "length <= 64"),
        (report(metrics={"a": 0.5}).replace("0.5", "1e999"), ErrorType.BAD_FRAME, "$.params.metrics.a", "out of range"),
        (report(events=[{"at": AT}]), ErrorType.BAD_FRAME, "$.params.events[0]", "missing required field `code`"),
        (
            report(events=[{"at": AT, "code": "a"}, {"at": "1999-01-01T00:00:00Z", "code": "a"}]),
            ErrorType.BAD_FRAME,
            "$.params.events[1].at",
            "between the years 2000 and 2100",
        ),
        (
            report(events=[{"at": AT, "code": "a", "severity": "bad"}]),
            ErrorType.BAD_FRAME,
            "$.params.events[0].severity",
            "right is critical or warning or info",
        ),
        (
            report(events=[{"at": AT, "code": "a", "text": "x\0y"}]),
            ErrorType.BAD_FRAME,
            "$",
            "a string may not hold U+0000",
        ),
        (call("goodbye", reason="bored"), ErrorType.BAD_FRAME, "$.params.reason", "right is reboot or update or"),
        (
            call("goodbye", reason="reboot", back_at="2200-01-01T00:00:00Z"),
            ErrorType.BAD_FRAME,
            "$.params.back_at",
            "between the years",
        ),
        ('{"jsonrpc":"2.0","id":1}', ErrorType.BAD_FRAME, "$", "an answer has either `result` or `error`"),
        (
            '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}',
            ErrorType.BAD_FRAME,
            "$",
            "an answer has either",
        ),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}', ErrorType.BAD_FRAME, "$.error.code", "`int`"),
        ('{"jsonrpc":"2.0","id":1.5,"result":1}', ErrorType.BAD_FRAME, "$.id", "got `float`"),
    ],
)
def test_a_bad_frame_is_refused_with_what_where_and_what_is_right(text, kind, where, message):
    error = one(text)

    assert isinstance(error, FrameError)
    assert (error.kind, error.where) == (kind, where)
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        (call("boot", 7), 7),
        (call("boot", "seven"), "seven"),
        (call("dance", 7), 7),
        ('{"jsonrpc":"2.0","id":7}', 7),
        (call("boot", True), None),
        (call("boot", 1.5), None),
        (call("boot", 2**70), None),
        (call("boot", "i" * 65), None),
        (call("boot", [1]), None),
        (report(seq="one"), None),
    ],
)
def test_a_refusal_carries_the_id_of_the_request_where_it_can(text, request_id):
    error = one(text)

    assert isinstance(error, FrameError)
    assert error.id == request_id
    assert json.loads(downlink.refusal(error))["id"] == request_id


def test_a_refusal_does_not_quote_a_long_frame_in_full():
    error = one(report(status="x" * 60_000))

    assert isinstance(error, FrameError)
    assert len(downlink.refusal(error)) < 1_000


def test_a_batch_gives_its_reports_in_order_and_refuses_only_what_is_bad():
    text = f"[{report(seq=1)}, {report(seq='two')}, {report(seq=3)}]"

    first, second, third = uplink.decode(text)

    assert isinstance(first, uplink.ReportCall)
    assert isinstance(second, FrameError)
    assert isinstance(third, uplink.ReportCall)
    assert (first.params.seq, second.where, third.params.seq) == (1, "$.params.seq", 3)


def test_a_batch_has_a_limit():
    fits, too_many = ([report()] * number for number in (limits.REPORTS_PER_BATCH, limits.REPORTS_PER_BATCH + 1))

    assert len(list(uplink.decode(f"[{','.join(fits)}]"))) == 200
    assert one(f"[{','.join(too_many)}]").message == "a batch holds 1 to 200 reports, this one holds 201"


@pytest.mark.parametrize("depth", [limits.DEPTH, limits.DEPTH + 1])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nesting_is_counted_exactly_and_not_inside_strings(depth, brackets):
    opening = brackets[0] if brackets == "[]" else '{"a":'
    inner = opening * (depth - 1) + '"]}[{\\"}"' + brackets[1] * (depth - 1)

    decoded = one(f'{{"jsonrpc":"2.0","id":1,"result":{inner}}}')

    assert isinstance(decoded, FrameError) == (depth > limits.DEPTH)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
WORDS = st.sampled_from([*uplink.METHODS, "ack", "2.0", "b", AT, "ok", ""]) | st.text()
PARAMS = st.dictionaries(
    st.sampled_from(["boot_id", "seq", "at", "status", "metrics", "events", "late", "full", "reason", "back_at"]),
    JSON | WORDS,
)
FRAMES = st.fixed_dictionaries(
    {}, optional={"jsonrpc": WORDS, "method": WORDS, "params": PARAMS | JSON, "id": JSON, "result": JSON, "error": JSON}
)


def answers_well(text: str | bytes) -> None:
    for decoded in uplink.decode(text):
        if isinstance(decoded, FrameError):
            assert decoded.message
            assert decoded.where.startswith("$")
            assert decoded.as_rpc().code == RPC_CODES[decoded.kind]
            assert json.loads(downlink.refusal(decoded))["error"]["data"]["type"] == decoded.kind.value


@given(st.binary())
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * limits.FRAME_BYTES)
@example(b'{"a":' * (limits.FRAME_BYTES // 5))
def test_any_bytes_are_answered_and_never_raise(data):
    answers_well(data)


@given(st.text(st.characters()))
@example("\ud800")
@example('"\ud800"')
def test_any_text_is_answered_and_never_raises(text):
    answers_well(text)


@given(JSON | FRAMES | st.lists(FRAMES))
def test_any_json_is_answered_and_never_raises(value):
    answers_well(json.dumps(value))


@given(st.sampled_from(uplink.METHODS), PARAMS, JSON)
def test_a_known_method_with_any_params_is_answered_and_never_raises(method, params, request_id):
    answers_well(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": request_id}))


@given(st.sampled_from([call("boot", 1, boot_id="b"), report(metrics={"a": 1}), GOOD_ANSWER]), st.data())
def test_a_good_frame_with_any_bytes_in_it_is_answered_and_never_raises(text, data):
    text = text.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 10, len(text))))

    answers_well(text[:start] + data.draw(st.binary(max_size=10)) + text[end:])


INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64)
METRICS = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9_.]{0,63}\Z"), st.floats(allow_nan=False, allow_infinity=False), max_size=10
)
EVENTS = st.builds(
    frames.Event,
    INSTANTS,
    st.from_regex(r"\A[a-z0-9][a-z0-9_.-]{0,63}\Z"),
    st.sampled_from(["critical", "warning", "info"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100),
)
STATUSES = st.sampled_from([UNSET, "ok", "degraded", "fault"])
REPORTS = st.builds(
    frames.Report,
    st.integers(0, limits.SEQ_MAX),
    INSTANTS,
    STATUSES,
    st.just(UNSET) | METRICS,
    st.lists(EVENTS, max_size=5).map(tuple),
    st.booleans(),
    st.just(UNSET) | NAMES,
)
CALLS = st.one_of(
    st.builds(uplink.ReportCall, REPORTS, st.just("2.0")),
    st.builds(
        uplink.BootCall,
        st.builds(
            frames.Boot, NAMES, st.floats(0, 1e12), serial=NAMES, full=st.builds(frames.State, STATUSES, METRICS)
        ),
        st.integers(-limits.SEQ_MAX, limits.SEQ_MAX) | NAMES,
        st.just("2.0"),
    ),
    st.just(uplink.HeartbeatCall("2.0")),
    st.builds(
        uplink.GoodbyeCall, st.builds(frames.Goodbye, st.just("update"), st.just(UNSET) | INSTANTS), st.just("2.0")
    ),
    st.builds(uplink.Answer, NAMES, st.just("2.0"), st.dictionaries(NAMES, st.integers(-(2**31), 2**31))),
)


@given(CALLS)
def test_what_an_agent_encodes_is_what_the_server_decodes(sent):
    assert one(uplink.encode(sent)) == sent


@given(st.lists(REPORTS, min_size=1, max_size=20))
def test_a_batch_that_an_agent_encodes_is_what_the_server_decodes(reports):
    calls = [uplink.ReportCall(report, "2.0") for report in reports]

    assert list(uplink.decode(uplink.encode_batch(calls))) == calls
