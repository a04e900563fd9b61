"""The table and the JUnit file of a run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from tms_agent.conformance.check import Check, Result, State

WIDTH = 26


def table(results: Sequence[Result]) -> str:
    return "\n".join(_lines(results))


def catalogue(checks: Sequence[Check]) -> str:
    """The table of the documentation."""
    rows = [f"| `{one.name}` | {one.level.value} | {one.expected} |" for one in checks]
    return "\n".join(("| check | level | expected |", "|---|---|---|", *rows))


def write_junit(results: Sequence[Result], path: Path) -> None:
    counts = {state: sum(one.state is state for one in results) for state in State}
    suite = ET.Element(
        "testsuite",
        name="tms-conformance",
        tests=str(len(results)),
        failures=str(counts[State.FAILED]),
        skipped=str(counts[State.NOT_TESTED]),
    )
    for one in results:
        case = ET.SubElement(suite, "testcase", classname=f"tms.{one.check.level.value}", name=one.check.name)
        if one.state is not State.PASSED:
            kind = "failure" if one.state is State.FAILED else "skipped"
            ET.SubElement(case, kind, message=_xml(one.why)).text = _xml(one.check.expected)
        if one.log:
            ET.SubElement(case, "system-out").text = _xml(one.log)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _lines(results: Sequence[Result]) -> Iterator[str]:
    level = None
    for one in results:
        if one.check.level is not level:
            level = one.check.level
            yield f"\n{level.value}"
        state = one.state.value.upper() if one.state is State.FAILED else one.state.value
        yield f"  {state:<10}  {one.check.name:<{WIDTH}}  {one.check.expected}"
        if one.why:
            yield f"{'':<14}{'':<{WIDTH}}  {_printable(one.why)}"
    counts = (f"{sum(one.state is state for one in results)} {state.value}" for state in State)
    yield f"\n{', '.join(counts)}"


def _printable(text: str) -> str:
    """Some of it comes from the client."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _xml(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
