"""One event is one line, with any contents."""

import io
import json
import logging
import logging.config
from functools import partial

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tms.config.logs import logging_config, printable

HOSTILE = {
    "CR": "before\rafter",
    "LF": "before\nafter",
    "CRLF and a forged line": "x\r\n12:00:00 info    tms.accounts signed_in user='admin'",
    "ANSI": "\x1b[2J\x1b[1;31mred\x1b[0m",
    "line separator": "before\u2028after",
    "paragraph separator": "before\u2029after",
    "next line": "before\x85after",
    "vertical tab and form feed": "before\x0b\x0cafter",
    "bell and backspace": "\x07\x08",
    "right-to-left override": "\u202egnp.exe",
    "NUL": "\x00",
    "lone surrogate": "\ud800",
    "Japanese": "温度が高い",
}
BREAKS = set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")


@pytest.fixture(params=["plain", "json"])
def written(request):
    """The output of the configured handler, in the format of this pass."""
    stream = io.StringIO()
    before = structlog.get_config()
    config = logging_config(level="INFO", form=request.param)
    formatter = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["structured"])
    output = logging.StreamHandler(stream)
    output.setFormatter(formatter)
    logger = logging.getLogger("tests.logs")
    divert = partial(diverted, output)
    logger.addFilter(divert)
    yield stream
    logger.removeFilter(divert)
    structlog.configure(**before)


def diverted(output: logging.Handler, record: logging.LogRecord) -> bool:
    """Send a record to `output` only: pytest would send it on to the process that collects the results."""
    output.handle(record)
    return False


def lines(stream: io.StringIO) -> list[str]:
    text = stream.getvalue()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def assert_one_line(stream: io.StringIO) -> str:
    [line] = lines(stream)
    assert not BREAKS & set(line)
    assert "\x1b" not in line
    assert line.encode()
    return line


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_value_can_neither_break_nor_repaint_a_line(written, text):
    structlog.get_logger("tests.logs").warning("bad_frame", said=text, deep={"text": [text]})

    assert "bad_frame" in assert_one_line(written)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_neither_can_a_message(written, text):
    structlog.get_logger("tests.logs").warning(text)

    assert_one_line(written)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_neither_can_a_log_record_of_a_library(written, text):
    logging.getLogger("tests.logs").warning("from %s: %s", text, text)

    assert_one_line(written)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_exception_with_its_traceback_is_one_line_too(written, text):
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("tests.logs").exception("failed")

    line = assert_one_line(written)
    assert "Traceback" in line
    assert "ValueError" in line


def test_a_librarys_exception_and_stack_are_one_line_each(written):
    try:
        raise ValueError("a\nb")
    except ValueError:
        logging.getLogger("tests.logs").exception("failed")
    logging.getLogger("tests.logs").warning("where", stack_info=True)

    assert len(lines(written)) == 2


def test_japanese_stays_readable():
    assert printable("温度が高い 25℃") == "温度が高い 25℃"


def test_json_contains_all_fields():
    processor = logging_config(level="INFO", form="json")["formatters"]["structured"]["processor"]

    message = json.loads(processor(None, "info", {"event": "boot", "terminal": "T\n1", "seconds": 1.5}))

    assert message == {"event": "boot", "terminal": "T\n1", "seconds": 1.5}


@given(st.text())
def test_printed_text_is_printable_and_printable_text_is_unchanged(text):
    shown = printable(text)

    assert all(char.isprintable() for char in shown)
    if text.isprintable():
        assert shown == text
