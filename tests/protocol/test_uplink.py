"""Frames of terminals: accepted, or refused with the reason, the location and the expected value."""

import json
from datetime import datetime

import pytest

from tests.support.protocol.frames import AT, call, decoded, report
from tms.protocol import downlink, frames, limits, uplink
from tms.protocol.errors import ErrorType, FrameError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            call("boot", 1, boot_id="b"),
            uplink.BootCall(frames.BootFrame("b"), 1, "2.0"),
        ),
        (
            call("boot", "x", boot_id="b", uptime_s=5, capabilities=["ping"], full={"status": "ok"}, news=[1]),
            uplink.BootCall(
                frames.BootFrame("b", 5.0, capabilities=("ping",), full=frames.FullState("ok")), "x", "2.0"
            ),
        ),
        ('{"jsonrpc":"2.0","method":"heartbeat"}', uplink.HeartbeatCall("2.0")),
        (call("heartbeat"), uplink.HeartbeatCall("2.0")),
        (
            report(metrics={"cpu_pct": 1}, status="fault", late=True, boot_id="earlier"),
            uplink.ReportCall(
                frames.ReportFrame(1, datetime.fromisoformat(AT), "fault", {"cpu_pct": 1.0}, (), True, "earlier"), "2.0"
            ),
        ),
        (
            report(at=None, late=True, events=[{"at": None, "code": "door"}]),
            uplink.ReportCall(
                frames.ReportFrame(1, None, events=(frames.TerminalEvent(None, "door"),), late=True), "2.0"
            ),
        ),
        (
            report(at=None, boot_id="earlier"),
            uplink.ReportCall(frames.ReportFrame(1, None, boot_id="earlier"), "2.0"),
        ),
        (
            report(events=[{"at": AT, "code": "paper_out", "severity": "critical", "text": "\\u0000"}]),
            uplink.ReportCall(
                frames.ReportFrame(
                    1,
                    datetime.fromisoformat(AT),
                    events=(frames.TerminalEvent(datetime.fromisoformat(AT), "paper_out", "critical", "\\u0000"),),
                ),
                "2.0",
            ),
        ),
        (call("goodbye", reason="reboot"), uplink.GoodbyeCall(frames.GoodbyeFrame("reboot"), "2.0")),
        (
            '{"jsonrpc":"2.0","id":"c1","result":{"lines":[]}}',
            uplink.CommandAnswer("c1", "2.0", {"lines": []}),
        ),
        ('{"jsonrpc":"2.0","id":"c1","result":null}', uplink.CommandAnswer("c1", "2.0", None)),
        (
            f'{{"jsonrpc":"2.0","id":"c1","result":"{"8e1234," * 300}"}}',
            uplink.CommandAnswer("c1", "2.0", "8e1234," * 300),
        ),
    ],
)
def test_a_good_frame_is_accepted(text, wanted):
    assert decoded(text) == wanted
    assert decoded(text.encode()) == wanted


PARTS = [
    (
        report(metrics={"a": 1, "hot_c": 1.1e15}),
        "$.params.metrics.hot_c",
        "hot_c is 1100000000000000.0; must be from -1e+15 to 1e+15",
    ),
    (report(metrics={"a": 1, "b": -1.7e308}, late=True), "$.params.metrics.b", "b is -1.7e+308"),
    (
        report(metrics={"a": 1} | {f"x{n}": 1e99 for n in range(7)}),
        "$.params.metrics.x0",
        "x4 is 1e+99 and 2 more; must be",
    ),
    (
        call("boot", 1, boot_id="b", full={"metrics": {"a": 1, "b": 1e16}}),
        "$.params.full.metrics.b",
        "b is 1e+16",
    ),
    (
        report(metrics={"a": 1}, events=[{"at": AT, "code": "ok"}, {"at": AT, "code": "tms.duplicate_credential"}]),
        "$.params.events[1].code",
        "are reserved for events of TMS; use another code. tms.duplicate_credential was not stored",
    ),
]


@pytest.mark.parametrize(("text", "where", "message"), PARTS)
def test_a_part_that_cannot_be_stored_is_named_and_the_rest_is_accepted(text, where, message):
    error, taken = uplink.decode(text)

    assert isinstance(error, FrameError)
    assert (error.kind, error.where, error.id) == (ErrorType.PART_REFUSED, where, None)
    assert message in error.message
    assert isinstance(taken, uplink.ReportCall | uplink.BootCall)
    metrics = taken.params.full.metrics if isinstance(taken, uplink.BootCall) else taken.params.metrics
    assert metrics == {"a": 1}
    assert [event.code for event in getattr(taken.params, "events", ())] == ["ok"] * ("events" in text)


def test_the_largest_metrics_are_accepted():
    largest = {"a": 1e15, "b": -1e15, "c": 5e-324}

    assert decoded(report(metrics=largest)).params.metrics == largest


def test_parts_of_a_batch_are_refused_one_by_one():
    batch = f"[{report(metrics={'a': 1e99})},{report(seq=2)},{report(seq=3, metrics={'b': 1e99, 'a': 2})}]"

    decoded = list(uplink.decode(batch))

    assert [one.where for one in decoded if isinstance(one, FrameError)] == ["$.params.metrics.a", "$.params.metrics.b"]
    assert [one.params.seq for one in decoded if isinstance(one, uplink.ReportCall)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "kind", "where", "message"),
    [
        ("", ErrorType.BAD_JSON, "$", "not JSON: Input data was truncated"),
        ("ping", ErrorType.BAD_JSON, "$", "not JSON: "),
        ('{"a":', ErrorType.BAD_JSON, "$", "not JSON: "),
        ("[", ErrorType.BAD_JSON, "$", "not JSON: "),
        ('{"method":"\ud800"}', ErrorType.UNKNOWN_METHOD, "$.method", "unknown method; use one of boot"),
        ('{"jsonrpc":"2.0","id":1,"result":"\ud800"}', ErrorType.BAD_FRAME, "$", "can't decode"),
        (b'{"jsonrpc":"2.0","id":"\xff","result":1}', ErrorType.BAD_FRAME, "$", "can't decode"),
        ("null", ErrorType.BAD_FRAME, "$", "expected a JSON object, or an array of reports"),
        ("{}", ErrorType.BAD_FRAME, "$", "Object missing required field `id`"),
        ("[]", ErrorType.BAD_FRAME, "$", "a batch must contain 1 to 200 reports, not 0"),
        ("[[]]", ErrorType.BAD_FRAME, "$", "expected a JSON object"),
        (
            f"[{call('heartbeat')}]",
            ErrorType.BAD_FRAME,
            "$",
            "a batch must contain only reports; send other frames separately",
        ),
        ("[" * 17 + "]" * 17, ErrorType.TOO_DEEP, "$", "nested too deeply; limit 16 arrays and objects"),
        ("[" * 17 + '"' + '\\"' * 32_000, ErrorType.BAD_JSON, "$", "not JSON: Input data was truncated"),
        ("[" * 17 + '"' + "\\", ErrorType.BAD_JSON, "$", "not JSON: "),
        (
            '{"jsonrpc":"2.0","id":"c1","result":[' + "1e308," * 256 + "-1E-300]}",
            ErrorType.BAD_FRAME,
            "$",
            "too many numbers with a three-digit exponent; limit 256",
        ),
        (
            call("dance"),
            ErrorType.UNKNOWN_METHOD,
            "$.method",
            "unknown method; use one of boot, heartbeat, report, progress, goodbye",
        ),
        (call("ack", seq=1), ErrorType.UNKNOWN_METHOD, "$.method", "unknown method; use one of boot"),
        ('{"method":["boot"]}', ErrorType.UNKNOWN_METHOD, "$.method", "unknown method; use one of boot"),
        ('{"method":"heartbeat"}', ErrorType.BAD_FRAME, "$", "Object missing required field `jsonrpc`"),
        ('{"jsonrpc":"1.0","method":"heartbeat"}', ErrorType.BAD_FRAME, "$.jsonrpc", "expected 2.0"),
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
        (
            report(at=None),
            ErrorType.BAD_FRAME,
            "$.params.at",
            "only a late report may omit the time; expected a time such as 2026",
        ),
        (
            report(events=[{"at": None, "code": "a"}]),
            ErrorType.BAD_FRAME,
            "$.params.events[0].at",
            "only a late report may omit the time",
        ),
        ('{"jsonrpc":"2.0","method":"report","params":{"seq":1,"late":true}}', ErrorType.BAD_FRAME, "$.params", "`at`"),
        (report(status="fine"), ErrorType.BAD_FRAME, "$.params.status", "expected ok or degraded or fault"),
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
            "expected critical or warning or info",
        ),
        (
            report(events=[{"at": AT, "code": "a", "text": "x\0y"}]),
            ErrorType.BAD_FRAME,
            "$",
            "a string must not contain U+0000",
        ),
        (call("goodbye", reason="bored"), ErrorType.BAD_FRAME, "$.params.reason", "expected reboot or update or"),
        (
            call("goodbye", reason="reboot", back_at="2200-01-01T00:00:00Z"),
            ErrorType.BAD_FRAME,
            "$.params.back_at",
            "between the years",
        ),
        ('{"jsonrpc":"2.0","id":1}', ErrorType.BAD_FRAME, "$", "expected either `result` or `error`"),
        (
            '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}',
            ErrorType.BAD_FRAME,
            "$",
            "expected either",
        ),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}', ErrorType.BAD_FRAME, "$.error.code", "`int`"),
        ('{"jsonrpc":"2.0","id":1.5,"result":1}', ErrorType.BAD_FRAME, "$.id", "got `float`"),
    ],
)
def test_a_bad_frame_is_refused_with_the_reason_the_location_and_the_expected_value(text, kind, where, message):
    error = decoded(text)

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
def test_a_refusal_contains_the_id_of_the_request_if_possible(text, request_id):
    error = decoded(text)

    assert isinstance(error, FrameError)
    assert error.id == request_id
    assert json.loads(downlink.refusal(error))["id"] == request_id


def test_a_refusal_does_not_quote_a_long_frame_in_full():
    error = decoded(report(status="x" * 60_000))

    assert isinstance(error, FrameError)
    assert len(downlink.refusal(error)) < 1_000


def test_a_batch_returns_its_reports_in_order_and_refuses_only_bad_ones():
    text = f"[{report(seq=1)}, {report(seq='two')}, {report(seq=3)}]"

    first, second, third = uplink.decode(text)

    assert isinstance(first, uplink.ReportCall)
    assert isinstance(second, FrameError)
    assert isinstance(third, uplink.ReportCall)
    assert (first.params.seq, second.where, third.params.seq) == (1, "$.params.seq", 3)


def test_a_batch_has_a_limit():
    fits, too_many = ([report()] * number for number in (limits.REPORTS_PER_BATCH, limits.REPORTS_PER_BATCH + 1))

    assert len(list(uplink.decode(f"[{','.join(fits)}]"))) == 200
    assert decoded(f"[{','.join(too_many)}]").message == "a batch must contain 1 to 200 reports, not 201"


@pytest.mark.parametrize("depth", [limits.DEPTH, limits.DEPTH + 1])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nesting_is_counted_exactly_and_not_inside_strings(depth, brackets):
    opening = brackets[0] if brackets == "[]" else '{"a":'
    inner = opening * (depth - 1) + '"]}[{\\"}"' + brackets[1] * (depth - 1)

    frame = decoded(f'{{"jsonrpc":"2.0","id":1,"result":{inner}}}')

    assert isinstance(frame, FrameError) == (depth > limits.DEPTH)
