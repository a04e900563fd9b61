"""Versions of the agent side by side: one that cannot start, or cannot connect, is left for the one before."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tms_agent.requests import RequestRefused
from tms_agent.updating.manifest import Manifest
from tms_agent.updating.versions import OwnInstaller, Supervisor, Versions

AT = datetime(2099, 1, 1, tzinfo=UTC)
RUNS = """
import os, pathlib, sys, time
with open({log!r}, "a") as log:
    print({version!r}, file=log)
{body}
"""
REACHES = "pathlib.Path(os.environ['AGENT_ON_TRIAL']).touch() if 'AGENT_ON_TRIAL' in os.environ else None"


@pytest.fixture
def versions(tmp_path) -> Versions:
    return Versions(tmp_path / "versions")


@pytest.fixture
def wheel(tmp_path, versions):
    """Returns the file of a version with this body; each of its starts is logged."""

    def wheel(version: str, body: str = "", **files: str) -> Path:
        path = tmp_path / f"{version}.whl"
        text = RUNS.format(log=str(tmp_path / "log"), version=version, body=body)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in ({"tms_agent/__init__.py": "", "tms_agent/__main__.py": text} | files).items():
                archive.writestr(name, content)
        return path

    return wheel


async def installed(versions: Versions, wheel: Path) -> None:
    manifest = Manifest("tms-agent", "", wheel.stem, "tms-agent", 1, "0" * 64, AT)
    await OwnInstaller(versions).install(wheel, manifest)


async def kept(versions: Versions, wheel: Path) -> None:
    await installed(versions, wheel)
    versions.keep(wheel.stem)


def started(tmp_path: Path) -> list[str]:
    return (tmp_path / "log").read_text().split()


async def test_a_version_that_reaches_tms_is_kept_and_the_one_before_goes(tmp_path, versions, wheel):
    await kept(versions, wheel("1.0"))
    await installed(versions, wheel("1.1", REACHES))

    status = Supervisor(versions, []).run()

    assert status == 0
    assert set(started(tmp_path)) == {"1.1"}
    assert (versions.current, versions.trial) == ("1.1", "")
    assert not versions.path_of("1.0").exists()


@pytest.mark.parametrize("body", ["sys.exit(3)", "raise ImportError", "time.sleep(60)", "os.kill(os.getpid(), 9)"])
async def test_a_version_that_does_not_reach_tms_is_left(tmp_path, versions, wheel, body):
    await kept(versions, wheel("1.0"))
    await installed(versions, wheel("1.1", body))

    status = Supervisor(versions, [], trial_s=0.3 if "sleep" in body else 60).run()

    assert status == 0
    assert started(tmp_path)[-1] == "1.0"
    assert (versions.current, versions.trial) == ("1.0", "")
    assert not versions.path_of("1.1").exists()


async def test_without_a_version_the_installed_package_runs(versions, wheel):
    await installed(versions, wheel("1.1", "sys.exit(3)"))

    status = Supervisor(versions, ["--version"]).run()

    assert status == 0
    assert versions.current == ""


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"../../evil.py": "x"}, ""),
        ({f"{number}.py": "" for number in range(2_100)}, "more than 2000 files"),
    ],
)
async def test_a_wheel_stays_in_its_folder(tmp_path, versions, wheel, files, reason):
    try:
        await installed(versions, wheel("2.0", **files))
        refused = ""
    except RequestRefused as refusal:
        refused = str(refusal)

    assert reason in refused
    assert bool(reason) is bool(refused)
    assert not list(tmp_path.parent.glob("evil.py"))
    assert not (tmp_path / "evil.py").exists()


async def test_a_file_that_is_no_wheel_of_the_agent_is_refused(tmp_path, versions):
    for name, content in (("a.whl", b"nothing"), ("b.whl", empty_archive(tmp_path))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RequestRefused, match="the wheel cannot be unpacked"):
            await installed(versions, tmp_path / name)
    assert versions.trial == ""


def empty_archive(tmp_path: Path) -> bytes:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    return path.read_bytes()
