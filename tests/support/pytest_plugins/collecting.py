"""Which files a worker need not import, because no test in them belongs to the pass."""

import re
from pathlib import Path

EMBEDDED = "not services and (embedded or not both)"
"""The marks of the first pass."""
ON_SERVICES = "both or services"
"""The marks of the second pass."""
MARK = re.compile(r"\bmark\.(both|services)\b")
MARKS_ALL = re.compile(r"^pytestmark = .*\bmark\.(both|services)\b", re.MULTILINE)
"""A mark of all tests of the file."""
MARK_EMBEDDED = re.compile(r"\bmark\.embedded\b")


def is_of_another_pass(path: Path, markers: str) -> bool:
    """Whether `markers` are those of a pass, and the marks in a file of tests exclude all of them from it."""
    if not (path.name.startswith("test_") and path.suffix == ".py"):
        return False
    if markers == ON_SERVICES:
        return not MARK.search(path.read_text())
    text = path.read_text() if markers == EMBEDDED else ""
    return bool(MARKS_ALL.search(text)) and not MARK_EMBEDDED.search(text)
