"""Which files a worker need not import, because no test in them belongs to the pass."""

import re
from pathlib import Path

ON_SERVICES = "both or services"
"""The marks of the second pass."""
MARK = re.compile(r"\bmark\.(both|services)\b")


def is_of_another_pass(path: Path, markers: str) -> bool:
    """Whether a file of tests has no mark of the second pass, and `markers` ask for nothing else."""
    is_file_of_tests = path.name.startswith("test_") and path.suffix == ".py"
    return is_file_of_tests and markers == ON_SERVICES and not MARK.search(path.read_text())
