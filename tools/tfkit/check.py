"""Format, initialise, validate and test one Terraform configuration, without writing to its directory."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.tfkit.running import running
from tools.tfkit.toolchain import Toolchain

type Json = dict[str, Any]

NOT_COPIED = shutil.ignore_patterns(
    ".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.*", ".git", "node_modules"
)
"""Terraform's own files, and folders that only cost time. A lock file contains the checksums of the real providers."""

IGNORED_SUMMARY = "Incomplete lock file information for providers"
"""Terraform's warning about any provider that was not downloaded from a registry."""


@dataclass(frozen=True)
class Problem:
    file: str
    line: int
    """The line in the file; 0 if the problem has no location in one."""
    message: str

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}" if self.line else self.file
        return f"{location}: {self.message}"


@dataclass
class Report:
    problems: list[Problem] = field(default_factory=list)
    passed: int = 0
    failed: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems


def check(directory: Path, toolchain: Toolchain, *, root: Path | None = None, variables: str | None = None) -> Report:
    """`variables` names a file in `directory` with values for the tests.

    `root` bounds what relative paths such as `../modules` may reach. It defaults to the git repository around the
    directory, or else to its parent.
    """
    directory = directory.resolve()
    with tempfile.TemporaryDirectory(prefix="tfkit-") as scratch:
        copy = mirror(directory, root or find_root(directory), Path(scratch, "tree"))
        return Checker(directory, copy, Path(scratch), toolchain, variables).run()


@dataclass
class Checker:
    """Runs Terraform in a copy, and reports paths of the original."""

    directory: Path
    copy: Path
    scratch: Path
    toolchain: Toolchain
    variables: str | None = None
    report: Report = field(default_factory=Report)
    providers: str = ""
    """Providers that run already, for `TF_REATTACH_PROVIDERS`."""

    def run(self) -> Report:
        """A step that needs an earlier one waits for it to succeed."""
        unreadable = self.format()
        if self.initialise():
            with running(self.toolchain.plugins, self.scratch) as self.providers:
                if self.validate():
                    self.test()
        if unreadable and self.report.ok:  # the other steps report where the mistake is
            self.add("", 0, f"error: terraform fmt failed: {unreadable}")
        return self.report

    def format(self) -> str:
        """Name each file that `terraform fmt` would rewrite; return why it could not."""
        done = self.terraform("fmt", "-check", "-recursive", "-no-color")
        for name in done.stdout.splitlines():
            self.add(name, 1, "error: not in canonical format; run terraform fmt")
        return one_line(done.stderr) if done.returncode not in (0, 3) else ""

    def initialise(self) -> bool:
        return self.step("init", "-backend=false", "-input=false", f"-plugin-dir={self.toolchain.plugins}", "-json")

    def validate(self) -> bool:
        """The configuration and its tests against the schemas."""
        return self.step("validate", "-json")

    def test(self) -> bool:
        return self.step("test", "-json", *([f"-var-file={self.variables}"] if self.variables else []))

    def step(self, *command: str) -> bool:
        """Whether it succeeded; its messages are collected."""
        before = len(self.report.problems)
        done = self.terraform(*command)
        for event in events(done.stdout):
            self.add_event(event)
        if done.returncode and len(self.report.problems) == before:
            output = one_line(done.stderr or done.stdout)[-2000:]
            self.add("", 0, f"error: terraform {command[0]} failed: {output}")
        return done.returncode == 0

    def add_event(self, event: Json) -> None:
        for diagnostic in event.get("diagnostics", []):
            self.add_diagnostic(diagnostic)
        if "diagnostic" in event:
            self.add_diagnostic(event["diagnostic"])
        if event.get("type") == "test_summary":
            summary = event["test_summary"]
            self.report.passed = summary["passed"]
            self.report.failed = summary["failed"] + summary["errored"]

    def add_diagnostic(self, diagnostic: Json) -> None:
        if diagnostic["summary"] == IGNORED_SUMMARY:
            return
        where = diagnostic.get("range") or {}
        line = where.get("start", {}).get("line", 0)
        text = f"{diagnostic['summary']}. {diagnostic.get('detail', '')}"
        self.add(where.get("filename", ""), line, f"{diagnostic['severity']}: {one_line(text)}")

    def add(self, name: str, line: int, message: str) -> None:
        """Add a problem under the original path. Init and validate may both report it."""
        path = os.path.normpath(self.directory / name)
        problem = Problem(os.path.relpath(path), line, message)
        if problem not in self.report.problems:
            self.report.problems.append(problem)

    def terraform(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Terraform in the copy, and without a person's own settings."""
        settings = {
            "TF_DATA_DIR": str(self.scratch / "data"),
            "TMPDIR": str(self.scratch),  # a provider that Terraform kills leaves its socket behind
            "TF_IN_AUTOMATION": "1",
            "TF_REATTACH_PROVIDERS": self.providers,
            "TF_CLI_CONFIG_FILE": os.devnull,
            "GOGC": "800",  # it is short-lived, and its memory is mostly schemas that each collection would scan
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_CLI_", "TF_LOG"))}
        return subprocess.run(
            [str(self.toolchain.terraform), *command],
            cwd=self.copy,
            env=inherited | settings,
            capture_output=True,
            text=True,
            check=False,
        )


def find_root(directory: Path) -> Path:
    for parent in (directory, *directory.parents):
        if (parent / ".git").exists():
            return parent
    return directory.parent


def mirror(directory: Path, root: Path, into: Path) -> Path:
    """Copy a directory and link its surroundings, so that `../` still works.

    Terraform writes its lock file beside the configuration, which no option changes.
    """
    root = root.resolve()
    if not directory.is_relative_to(root):
        raise ValueError(f"{directory} is not inside {root}")
    original, copy = root, into
    copy.mkdir()
    for part in directory.relative_to(root).parts:
        for neighbour in original.iterdir():
            if neighbour.name != part:
                (copy / neighbour.name).symlink_to(neighbour)
        original, copy = original / part, copy / part
        copy.mkdir()
    shutil.copytree(directory, copy, ignore=NOT_COPIED, dirs_exist_ok=True)
    return copy


def events(output: str) -> Iterator[Json]:
    """One JSON document, or one per line; anything else is skipped."""
    for text in (output, *output.splitlines()):
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found
        if text == output:
            return


def one_line(text: str) -> str:
    return " ".join(text.split())
