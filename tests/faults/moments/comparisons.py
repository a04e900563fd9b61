"""What the process beside a TMS found: whether recorded moments equal their replay."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from tests.faults.scenario.environment import Environment


class Comparison(NamedTuple):
    at: str
    differences: list[str]


class Comparisons:
    """The comparisons of a running process. Each is read once."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process = process
        self._output = output
        self._read = 0

    @classmethod
    @contextmanager
    def running(cls, environment: Environment) -> Iterator[Self]:
        with tempfile.TemporaryDirectory(prefix="tms-moments-") as folder:
            output = Path(folder) / "output"
            process = environment.spawn("tests.faults.moments", output)
            try:
                yield cls(process, output)
            finally:
                process.kill()
                process.wait()

    def new(self) -> list[Comparison]:
        """Those since the last call. Raises RuntimeError if the process has ended."""
        lines = self._output.read_text().split("\n")[:-1]
        if (code := self._process.poll()) is not None:
            raise RuntimeError(f"the recorder of moments exited with {code}: {' '.join(lines[-1:])}")
        new, self._read = lines[self._read :], len(lines)
        return [Comparison(*json.loads(line)) for line in new if line.startswith("[")]
