"""Any input on a link is answered: decoding never raises, and every error has the reason and the location."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.protocol.frames import AT, call, report
from tms.protocol import downlink, limits, uplink
from tms.protocol.errors import RPC_CODES, FrameError

GOOD_FRAMES = (
    call("boot", 1, boot_id="b", full={"metrics": {"a": 1}}),
    report(metrics={"a": 1}, events=[{"at": AT, "code": "a"}]),
    f"[{report()},{report(seq=2)}]",
    '{"jsonrpc":"2.0","id":"c1","result":{"lines":["a"]},"x":"y"}',
)

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


def check_answers(text: str | bytes) -> None:
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
    check_answers(data)


@given(st.text(st.characters()))
@example("\ud800")
@example('"\ud800"')
def test_any_text_is_answered_and_never_raises(text):
    check_answers(text)


@given(JSON | FRAMES | st.lists(FRAMES))
def test_any_json_is_answered_and_never_raises(value):
    check_answers(json.dumps(value))


@given(st.sampled_from(uplink.METHODS), PARAMS, JSON)
def test_a_known_method_with_any_params_is_answered_and_never_raises(method, params, request_id):
    check_answers(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": request_id}))


@given(st.sampled_from(GOOD_FRAMES), st.data())
def test_a_good_frame_with_random_bytes_is_answered_and_never_raises(text, data):
    text = text.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 10, len(text))))

    check_answers(text[:start] + data.draw(st.binary(max_size=10)) + text[end:])
