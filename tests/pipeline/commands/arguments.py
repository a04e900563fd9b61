"""Whether a program of ours, or one that we document, accepts its arguments."""

import argparse
import contextlib
import io
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from configparser import RawConfigParser
from functools import cache
from itertools import pairwise

from django.core.management import get_commands, load_command_class

from deploy.backup import __main__ as backup
from deploy.check import __main__ as check
from deploy.pipeline import __main__ as pipeline
from deploy.processes.tms_process import ROOT
from tests.pipeline.commands import aws_cli
from tests.pipeline.commands.checkout import Call
from tms.ops.cloudwatch.table import TABLE

MACHINE = "/opt/tms/current/"
PARSERS: Mapping[str, Callable[[], argparse.ArgumentParser]] = {
    "deploy.backup": backup.parser,
    "deploy.check": check.parser,
    "deploy.pipeline": pipeline.parser,
}
TERRAFORM = {"init", "apply", "destroy", "import", "output", "plan", "providers", "state", "version"}
OPTIONS_OF_TERRAFORM = {"backend-config", "platform", "raw", "replace", "target", "var", "var-file"}
READ_ONLY = {"cat", "curl", "df", "du", "grep", "head", "journalctl", "ps", "tail", "top", "ls", "ss"}


def problems(call: Call) -> list[str]:
    return [
        f"{call.program} {shlex.join(call.words)}: {problem}" for problem in CHECKS.get(call.program, _none)(call.words)
    ]


def _none(_: Sequence[str]) -> list[str]:
    return []


def _aws(words: Sequence[str]) -> list[str]:
    found = aws_cli.problems(words)
    for option, word in pairwise(words):
        if option == "--log-group-name" and word not in _log_groups():
            found.append(f"there is no log group {word}")
        if option == "--metric-name" and "TMS" in words and word not in _metrics():
            found.append(f"there is no metric {word}")
    if tuple(words[:2]) == ("logs", "tail") and words[2] not in _log_groups():
        found.append(f"there is no log group {words[2]}")
    if tuple(words[:2]) == ("ssm", "start-session") and "--parameters" in words:
        [command] = json.loads(words[words.index("--parameters") + 1])["command"]
        found += on_a_machine(_words(command)[1:])
    return found


def _words(command: str) -> list[str]:
    """The words as the shell of the machine splits them; shlex does not know all of its quotes."""
    return subprocess.check_output(["bash", "-c", f"printf '%s\\0' {command}"], text=True).split("\0")[:-1]


@cache
def _log_groups() -> set[str]:
    text = (ROOT / "deploy/terraform/logs.tf").read_text()
    return {f"tms-{name}" for name in re.findall(r"^    (\w+) += ", text, re.MULTILINE)} | {"aws-waf-logs-tms"}


@cache
def _metrics() -> set[str]:
    return {metric.name for metric in TABLE}


def on_a_machine(words: Sequence[str]) -> list[str]:
    """A command that root runs there; psql is not asked here."""
    program, *rest = words
    if program == "-i":  # a shell
        return []
    if program == "cd" or program in READ_ONLY:
        return _logs(rest)
    if program.endswith("/supervisorctl"):
        return _supervisorctl(rest[2:])
    path = program.removeprefix(MACHINE)
    if not (ROOT / path).is_file():
        return [f"{program} is not on a machine"]
    match path:
        case "deploy/machine/manage":
            return _management_command(rest)
        case "deploy/backup.sh":
            return _parsed("deploy.backup", ["take", *rest])
        case "deploy/restore.sh":
            return _parsed(
                "deploy.backup", rest if rest[:1] in (["point-in-time"], ["snapshot"]) else ["restore", *rest]
            )
    return []


def _logs(words: Sequence[str]) -> list[str]:
    written = set(re.findall(r"@LOGS@/([\w.%()-]+)", (ROOT / "deploy/machine/supervisord.conf").read_text()))
    names = {name.replace("%(process_num)d", "1") for name in written} | {"userdata.log", "nginx-access.log"}
    read = [word.removeprefix("/var/log/tms/") for word in words if word.startswith("/var/log/tms/")]
    return [f"nothing writes {name}" for name in read if name not in names]


def _supervisorctl(words: Sequence[str]) -> list[str]:
    supervisor = RawConfigParser()
    supervisor.read(ROOT / "deploy/machine/supervisord.conf")
    alone = {name.partition(":")[2] for name in supervisor.sections()} - {"node", "clock"}
    known = alone | {"tms:node-1", "tms:node-2", "tms:clock", "tms:*"}
    action, *programs = words
    found = [] if action in {"status", "start", "stop", "restart"} else [f"{action} is no action"]
    return found + [f"{name} is no program" for name in programs if name not in known]


def _management_command(words: Sequence[str]) -> list[str]:
    name, *rest = words
    if name not in get_commands():
        return [f"there is no command {name}"]
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    return _accepts(command.create_parser("manage.py", name), rest)


def _python(words: Sequence[str]) -> list[str]:
    if words[0] != "-m":
        return []
    return _parsed(words[1], words[2:])


def _parsed(module: str, words: Sequence[str]) -> list[str]:
    return _accepts(PARSERS[module](), words) if module in PARSERS else [f"there is no {module}"]


def _accepts(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parser.parse_args(list(words))
        except SystemExit as ended:
            return [said.getvalue().strip().splitlines()[-1]] if ended.code else []
        except Exception as error:  # noqa: BLE001 - Django's parsers raise their own errors
            return [str(error)]
    return []


def _terraform(words: Sequence[str]) -> list[str]:
    rest = [word for word in words if not word.startswith("-chdir=")]
    command, *rest = rest
    found = [] if command in TERRAFORM else [f"terraform has no {command}"]
    given = list(_options(rest))
    found += [f"terraform {command} has no -{name}" for name, _ in given if name not in OPTIONS_OF_TERRAFORM]
    text = "".join(path.read_text() for path in (ROOT / "deploy/terraform").rglob("*.tf"))
    for name, value in given:
        if name in ("target", "replace") and not _is_resource(value, text):
            found.append(f"there is no {value}")
        if name == "var" and f'variable "{value.partition("=")[0]}"' not in text:
            found.append(f"there is no variable {value}")
    if command == "output":
        names = [word for word in rest if not word.startswith("-")]
        found += [f"there is no output {name}" for name in names if f'output "{name}"' not in text]
    return found


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """-name=value, or -name value."""
    for word, following in pairwise([*words, ""]):
        if word.startswith("-"):
            name, has_value, value = word[1:].partition("=")
            yield name, value if has_value else following


def _is_resource(address: str, text: str) -> bool:
    kind, _, name = address.partition("[")[0].partition(".")
    return f'resource "{kind}" "{name}"' in text


def _make(words: Sequence[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    return [
        f"make has no {word}"
        for word in words
        if not word.startswith("-") and not re.search(rf"^{word}:", makefile, re.MULTILINE)
    ]


def _build(words: Sequence[str]) -> list[str]:
    return [] if words in (["ec2"], ["ecs"]) else ["expected is ec2 or ecs"]


CHECKS: Mapping[str, Callable[[Sequence[str]], list[str]]] = {
    "aws": _aws,
    "build": _build,
    "make": _make,
    "on_a_machine": on_a_machine,
    "python": _python,
    "terraform": _terraform,
}
