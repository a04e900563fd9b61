"""Characters that are removed from foreign text, and those that must be kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_text import BIDI, CONTROL, HOSTILE, LINE, LINES
from tests.support.protocol.frames import AT, call, decoded, report
from tms.protocol.errors import ErrorType, FrameError
from tms.protocol.text import clean, clean_tree, is_storable, storable


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("plain", "plain", "plain"),
        ("", "", ""),
        (HOSTILE, LINE, LINES),
        *[(f"a{char}b", "ab", "ab") for char in BIDI + CONTROL + "\u206a\ufeff\ufff9"],
        *[
            (f"a{char}b", "a b", "a\nb")
            for char in ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")
        ],
        ("a\tb", "a b", "a\tb"),
        ("a\n\nb", "a  b", "a\n\nb"),
    ],
)
def test_control_and_bidirectional_characters_are_removed(text, line, lines):
    assert clean(text) == line
    assert clean(text, keeps_lines=True) == lines


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🔧",  # a joiner makes one emoji of two
        "❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",  # a non-joiner is spelling in Persian
        "مرحبا بالعالم",
        "שלום עולם",
        "שלום\u200f!",  # marks only set the direction of punctuation
        "क्\u200dष",
        "新宿　南口",
        "soft\u00adhyphen",
        "e\u0301",
    ],
)
def test_characters_that_scripts_and_emoji_need_are_preserved(text):
    assert clean(text) == clean(text, keeps_lines=True) == text


@given(st.text())
def test_cleaning_is_idempotent_and_makes_no_text_longer(text):
    for keeps_lines in (False, True):
        once = clean(text, keeps_lines=keeps_lines)
        assert clean(once, keeps_lines=keeps_lines) == once
        assert len(once) <= len(text)
        assert not set(once) & set(BIDI + CONTROL)


@pytest.mark.parametrize("char", [*"\0\ud800\udfff"])
def test_what_no_database_stores_is_found_and_omitted(char):
    assert not is_storable(f"a{char}b")
    assert storable(f"a{char}b\U0001f600") == "ab\U0001f600"
    assert is_storable("ab\U0001f600")


def test_every_string_of_a_json_value_is_cleaned():
    def value():
        return {f"n{BIDI}": [HOSTILE, 1, None, {"x": HOSTILE}], "y": True}

    assert clean_tree(value()) == {"n": [LINE, 1, None, {"x": LINE}], "y": True}
    assert clean_tree(value(), keeps_lines=True) == {"n": [LINES, 1, None, {"x": LINES}], "y": True}


def test_a_deep_value_is_cleaned_without_recursion():
    deep: object = HOSTILE
    for _ in range(20_000):
        deep = [deep]

    deep = clean_tree(deep)

    for _ in range(20_000):
        [deep] = deep
    assert deep == LINE


@pytest.mark.parametrize("name", ["serial", "model", "firmware", "agent"])
def test_texts_of_a_terminal_about_itself_are_cleaned(name):
    boot = decoded(call("boot", 1, boot_id="b", **{name: HOSTILE}))

    assert getattr(boot.params, name) == LINE


def test_the_text_of_an_event_is_cleaned():
    frame = decoded(report(events=[{"at": AT, "code": "a", "text": "plain"}, {"at": AT, "code": "b", "text": HOSTILE}]))

    assert [event.text for event in frame.params.events] == ["plain", LINE]
    assert [event.code for event in frame.params.events] == ["a", "b"]


def test_the_answer_to_a_command_is_cleaned():
    result = decoded(json.dumps({"jsonrpc": "2.0", "id": "c1", "result": {"lines": [HOSTILE]}}))
    error = decoded(
        json.dumps(
            {"jsonrpc": "2.0", "id": "c1", "error": {"code": 1, "message": HOSTILE, "data": {"type": f"tms:{HOSTILE}"}}}
        )
    )

    assert result.result == {"lines": [LINES]}
    assert (error.error.message, error.error.data.type) == (LINES, f"tms:{LINE}")


@pytest.mark.parametrize("char", ["\n", "\x1b", "\u202e", "\u2066"])
@pytest.mark.parametrize(
    ("frame", "where", "request_id"),
    [
        (lambda text: call("boot", 1, boot_id=text), "$.params.boot_id", 1),
        (lambda text: call("boot", 1, boot_id="b", capabilities=["ping", text]), "$.params.capabilities[1]", 1),
        (lambda text: report(boot_id=text, late=True), "$.params.boot_id", None),
    ],
)
def test_an_id_with_such_characters_is_refused(frame, where, request_id, char):
    error = decoded(frame(f"b{char}"))

    assert isinstance(error, FrameError)
    assert (error.kind, error.where, error.id) == (ErrorType.BAD_FRAME, where, request_id)
    assert "an id must not contain line breaks, control or bidirectional characters" in error.message
