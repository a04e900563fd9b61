"""The distribution `tms-agent`, built and installed in an environment that has websockets and nothing else."""

import ast
import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from packaging.metadata import Metadata

from tests.agent.enrolment_server import enrolment_server
from tests.agent.running_agent import CREDENTIAL
from tests.support.inventory import ROOT
from tms.protocol import uplink

AGENT = ROOT / "agent"
UV = ROOT / ".tools/uv/bin/uv"
OLDER = shutil.which("python3.11", path="/usr/bin:/usr/local/bin")
PYTHONS = [sys.executable, *([OLDER] if OLDER else [])]
"""The installed websockets runs on 3.11 and newer."""
NOT_EVERYWHERE = {"events-of-interruption", "progress", "update-signature"}
"""Checks of what a client need not do; this machine reports no events."""
IMPORT_ALL = """
import pkgutil, sys
before = set(sys.modules)
import tms_agent
for module in pkgutil.walk_packages(tms_agent.__path__, "tms_agent."):
    if not module.name.endswith("_3_10"):
        __import__(module.name)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the wheel, which is made from the source distribution beside it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--offline", "--out-dir", folder, AGENT], check=True)
    return folder


@pytest.fixture(scope="module", params=PYTHONS)
def programs(request, built, tmp_path_factory) -> Path:
    """The folder of programs of an environment in which only the agent and websockets are installed."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([UV, "venv", "--quiet", "--offline", "--clear", "--python", request.param, environment], check=True)
    [wheel] = built.glob("*.whl")
    python = environment / "bin/python"
    subprocess.run([UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    installed = find_spec("websockets")
    assert installed
    assert installed.submodule_search_locations
    (packages / "websockets").symlink_to(installed.submodule_search_locations[0])
    return environment / "bin"


@pytest.fixture
async def agent(tms, tmp_path, programs) -> AsyncIterator[asyncio.subprocess.Process]:
    """The installed agent, which connects to `tms`."""
    process = await asyncio.create_subprocess_exec(
        programs / "tms-agent",
        *("--url", tms.url, "--spool", tmp_path / "spool", "--interval", "1", "--handlers", handlers(tmp_path)),
        env=clean(TMS_AGENT_CREDENTIAL=str(CREDENTIAL)),
        stderr=subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


def handlers(folder: Path) -> Path:
    """A folder with one handler, `greet`."""
    path = folder / "handlers/greet.sh"
    path.parent.mkdir(mode=0o755)
    path.write_text("#!/bin/sh\necho 'progress: 50 reading' >&2\ncat\n")
    path.chmod(0o755)
    return path.parent


def clean(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables


def output(*command: str | Path) -> str:
    return subprocess.run(command, env=clean(), capture_output=True, text=True, check=True).stdout


def metadata(built: Path) -> Metadata:
    [wheel] = built.glob("*.whl")
    with ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        return Metadata.from_email(files.read(name))


def test_it_needs_websockets_and_nothing_else(built):
    described = metadata(built)

    assert [str(one) for one in described.requires_dist or () if not one.marker] == ["websockets>=16"]
    assert str(described.requires_python) == ">=3.10"


def test_the_source_has_all_that_belongs_to_it(built):
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}

    tracked = output("git", "-C", AGENT, "ls-files").split()
    assert set(tracked) <= names


def test_it_names_its_version(built, programs):
    assert output(programs / "tms-agent", "--version") == f"tms-agent/{metadata(built).version}\n"


def test_it_explains_its_options(programs):
    assert "--credential-file" in output(programs / "tms-agent", "--help")


def test_it_imports_nothing_of_tms_nor_what_tms_runs_on(programs):
    assert output(programs / "python", "-c", IMPORT_ALL) == "tms_agent websockets\n"


async def test_it_enrols_and_finds_its_way_without_the_optional_packages(tms, programs, tmp_path):
    env = clean(TMS_AGENT_CONFIG=str(tmp_path / "tms-agent.toml"), TMS_AGENT_SPOOL=str(tmp_path / "spool"))

    async def run(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            programs / "tms-agent", *arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    with enrolment_server() as server:
        enrolled = await run("enrol", "--url", server.url, "--token", "once")
    found = await run("doctor", "--url", tms.url)
    printed = await run("install", "--print")

    assert (enrolled[0], found[0], printed[0]) == (0, 0, 0), (enrolled, found, printed)
    assert "enrolled as T-1" in enrolled[1]
    assert "credential: TMS accepts that of T-1" in found[1]
    assert "packages: psutil is not installed" in found[1]
    assert f"ExecStart={programs}/tms-agent run --config {tmp_path}" in printed[1]


async def test_it_reports_and_answers_without_the_optional_packages(tms, agent):
    link = await tms.booted()
    report = await link.report()
    await link.ack(report.seq)
    answer = await link.command("ping")
    greeting = await link.command("greet", request_id="c2", who="Ann")
    agent.terminate()
    goodbye = await link.expect(uplink.GoodbyeCall)

    assert link.booted.agent.startswith("tms-agent/")
    assert set(report.metrics) == {"disk_pct", "load_1m", "uptime_s"}
    assert answer.result["answer"] == "pong"
    assert greeting.result == {"who": "Ann"}
    assert goodbye.params.reason == "shutdown"


@pytest.mark.parametrize("programs", [PYTHONS[-1]], indirect=True)
async def test_it_passes_the_conformance_kit(programs, tmp_path):
    agent = [programs / "tms-agent", "--url", "{url}", "--credential", "{credential}", "--spool", "{folder}/spool"]
    results = tmp_path / "results.xml"

    kit = await asyncio.create_subprocess_exec(
        programs / "tms-conformance",
        *("--parallel", "12", "--junit", results, "--", *agent, "--log-file", "{folder}/client.log"),
        env=clean(TMS_AGENT_CONFIGURATION_APPLY_COMMAND="true"),
        stdout=subprocess.PIPE,
    )
    table, _ = await kit.communicate()

    print(table.decode())
    assert kit.returncode == 0, table.decode()
    not_tested = {case.get("name") for case in ET.parse(results).iter("testcase") if case.find("skipped") is not None}
    assert not_tested <= NOT_EVERYWHERE


@pytest.mark.parametrize("path", sorted(AGENT.rglob("*.py")), ids=lambda path: str(path.relative_to(AGENT)))
def test_every_module_is_python_3_10(path):
    """`make check` also checks it, with the types of the standard library of 3.10."""
    ast.parse(path.read_text(), feature_version=(3, 10))
