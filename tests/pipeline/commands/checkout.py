"""A checkout whose programs are stand-ins: they record their arguments, answer as AWS would, and do nothing."""

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.processes.tms_process import ROOT

RECORD = 'printf \'%s\\0\' "$#" "${0##*/}" "$@" >>"$CALLS"\n'
ANSWERS = {
    "aws": 'case "$*" in *get-caller-identity*) echo 123456789012 ;; *start-session*) cat "$PRINTED" ;; '
    "*) echo i-0123456789 ;; esac\n",
    "terraform": "echo https://tms.example.com/\n",
    "date": '[[ " $* " != *" -d "* ]] && exec /bin/date "$@"\n',  # that of macOS reads no dates
    "curl": "echo '<link href=\"https://static.example.com/css/tms.css\">'\n",
    "python": "[[ $1 != -m ]] || echo 1.4.2\n",
    "build": "echo 1.4.2\n",
    "version": "echo 1.4.2\n",
}
PROGRAMS = (
    "aws",
    "curl",
    "date",
    "docker",
    "git",
    "make",
    "on_a_machine",
    "sleep",
    "sudo",
    "terraform",
    "python",
    "build",
    "version",
    "static",
)
REAL = ("shell.sh", "rollback.sh", "check.sh", "restore.sh", "environment.sh", "terraform/tf", "terraform/env")
"""The scripts of `deploy` that only call other programs; they run as they are."""
PIPELINE = ("build", "version", "static")


class Call(NamedTuple):
    program: str
    words: Sequence[str]


class Checkout:
    def __init__(self, folder: Path, *, printed: Iterable[str] = ()) -> None:
        """`printed` are lines that a command on a machine prints."""
        self.folder = folder
        (folder / "printed").write_text("".join(f"{line}\n" for line in printed))
        self._calls = folder / "calls"
        for program in PROGRAMS:
            self._create(folder / "bin" / program)
        for name in REAL:
            if (ROOT / "deploy" / name).exists():
                (folder / "deploy" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "deploy" / name).symlink_to(ROOT / "deploy" / name)
        for name in PIPELINE:
            self._link(folder / "deploy/pipeline" / name, name)
        self._link(folder / ".venv/bin/python", "python")
        for name in ("deploy/terraform/bootstrap", "deploy/image"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "tms").symlink_to(folder)  # what `git clone` makes

    def run(self, block: str) -> tuple[subprocess.CompletedProcess[str], list[Call]]:
        """Run a block as pasted into a shell that stops at the first error. Returns what the stand-ins were asked,
        too.
        """
        self._calls.write_text("")
        own = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "CALLS": str(self._calls),
            "PRINTED": str(self.folder / "printed"),
            "PYTHON": str(self.folder / "bin/python"),
            "HOME": str(self.folder),
            "ENVIRONMENT_FOLDER": os.devnull,
        }
        done = subprocess.run(
            ["bash", "-c", f"set -eu -o pipefail\n{block}"],
            cwd=self.folder,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )
        return done, self._recorded()

    def _recorded(self) -> list[Call]:
        words = iter(self._calls.read_text().split("\0")[:-1])
        return [Call(next(words), [next(words) for _ in range(int(number))]) for number in words]

    def _create(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{RECORD}{ANSWERS.get(path.name, '')}")
        path.chmod(0o755)

    def _link(self, path: Path, program: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.folder / "bin" / program)
