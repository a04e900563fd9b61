"""The small scripts of the pipeline, and the initial data of a new TMS."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from deploy.pipeline import sbom
from deploy.processes.tms_process import ROOT

PIPELINE = ROOT / "deploy/pipeline"


def run(script: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run(
        [PIPELINE / script, *arguments], env=path | environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with only the script of versions, and one commit."""
    script = tmp_path / "deploy/pipeline/version"
    script.parent.mkdir(parents=True)
    script.write_text((PIPELINE / "version").read_text())
    script.chmod(0o755)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


IDENTITY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"} | {
    f"GIT_{who}_{what}": "test@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def git(folder: Path, *arguments: str, environment: Mapping[str, str] = IDENTITY) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env={"PATH": "/usr/bin:/bin", **environment}, check=True)


def commit(folder: Path) -> None:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Change something")


def version(repository: Path) -> str:
    return subprocess.check_output([repository / "deploy/pipeline/version"], text=True).strip()


def test_a_version_is_the_tag_or_the_distance_from_it(repository):
    untagged = version(repository)
    git(repository, "tag", "v1.4.2")
    tagged = version(repository)
    commit(repository)
    later = version(repository)

    assert untagged.startswith("0.1.0-1-g")
    assert tagged == "1.4.2"
    assert later.startswith("1.4.2-1-g")


def test_a_value_is_passed_as_one_line(tmp_path):
    output = tmp_path / "output"

    done = run("remember", "what", "1.4.2", GITHUB_OUTPUT=str(output))

    assert done.returncode == 0
    assert output.read_text() == "what=1.4.2\n"


@pytest.mark.parametrize("value", ["", "1.4.2\nforged=yes"])
def test_a_value_of_several_lines_is_not_passed(value, tmp_path):
    done = run("remember", "what", value, GITHUB_OUTPUT=str(tmp_path / "output"))

    assert done.returncode == 1
    assert not (tmp_path / "output").exists()


AWS = """#!/bin/bash
[[ " $* " == *" --name /tms/static/url "* ]] && name=url || name=bucket
[[ -v $name ]] && echo "${!name}"
"""


@pytest.fixture
def static(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The script, where AWS has the given parameters, and `make` and `manage.py` only say what they would do."""
    script = tmp_path / "deploy/pipeline/static"
    stubs = {
        script: (PIPELINE / "static").read_text(),
        tmp_path / "bin/aws": AWS,
        tmp_path / "bin/make": "#!/bin/bash\n",
        tmp_path / ".venv/bin/python": '#!/bin/bash\necho "$* to $TMS_STATIC_BUCKET for $TMS_STATIC_URL"\n',
    }
    for path, text in stubs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_it(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
        return subprocess.run([script, *arguments], env=path | environment, capture_output=True, text=True, check=False)

    return run_it


UPLOADED = "manage.py collectstatic --noinput to a-bucket for https://static.example.com/\n"


@pytest.mark.parametrize(
    ("arguments", "parameters", "code", "printed"),
    [
        ([], {"url": "https://static.example.com/", "bucket": "a-bucket"}, 0, UPLOADED),
        ([], {"STATIC_URL": "https://static.example.com/", "STATIC_BUCKET": "a-bucket"}, 0, UPLOADED),
        ([], {}, 1, "/tms/static/url cannot be read"),
        ([], {"url": "none"}, 1, "if that is intended: static --none"),
        (["--none"], {"url": "none"}, 0, "TMS serves its files itself: nothing to upload."),
        (["--none"], {}, 1, "/tms/static/url cannot be read"),
    ],
)
def test_files_for_browsers_are_uploaded_or_it_fails(arguments, parameters, code, printed, static):
    done = static(*arguments, **parameters)

    assert (done.returncode, printed in done.stdout + done.stderr) == (code, True), done.stderr


def test_the_smoke_test_retries_and_gives_up():
    done = run(
        "smoke", "https://127.0.0.1:9", "--insecure", "--only", "security", SMOKE_ATTEMPTS="2", SMOKE_PAUSE_S="0"
    )

    assert done.returncode == 1
    assert "attempt 1 of 2" in done.stdout
    assert done.stdout.count("0 passed") == 2


DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.fixture
def base(tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """The script in a checkout without base.digest, and a docker that reaches the registry."""
    script, docker = tmp_path / "deploy/image/base", tmp_path / "bin/docker"
    for path, text in ((script, (ROOT / "deploy/image/base").read_text()), (docker, f"#!/bin/sh\necho {DIGEST}\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "Dockerfile").write_text((ROOT / "Dockerfile").read_text())
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    return lambda: subprocess.run([script], env=environment, capture_output=True, text=True, check=False)


def test_a_missing_digest_of_the_base_is_used_and_proposed(base, tmp_path):
    done = base()

    assert (done.returncode, done.stdout.rpartition("@")[2]) == (0, f"{DIGEST}\n")
    assert "commit this one" in done.stderr
    assert (tmp_path / "build/proposed/deploy/image/base.digest").read_text() == f"{DIGEST}\n"


@pytest.mark.parametrize("digest", ["", "sha256:0123", "latest"])
def test_a_committed_base_is_a_digest(digest, base, tmp_path):
    (tmp_path / "deploy/image/base.digest").write_text(digest)

    done = base()

    assert done.returncode == 1
    assert "docker buildx imagetools inspect docker.io/library/python:" in done.stderr


def test_the_base_is_named_by_tag_and_digest():
    done = run("../image/base", TMS_BASE_DIGEST=DIGEST)

    assert re.fullmatch(rf"docker\.io/library/python:[\w.-]+@{DIGEST}\n", done.stdout)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FROM ${PYTHON} AS packages", 0),
        ("FROM packages", 0),
        (f"FROM docker.io/library/debian@{DIGEST}", 0),
        ("FROM docker.io/library/debian:13", 1),
        ("FROM --platform=linux/amd64 debian:13 AS other", 1),
    ],
)
def test_no_dockerfile_uses_a_base_by_tag_only(line, code, tmp_path):
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"ARG PYTHON=python:3.13\nFROM ${{PYTHON}} AS packages\n{line}\n")

    assert run("../image/base", "--check", DOCKERFILE=str(dockerfile)).returncode == code


def test_the_bill_of_materials_has_each_package_of_each_lock_once():
    bill = json.loads(sbom.document("1.4.2"))

    purls = [each["purl"] for each in bill["components"]]
    pinned = sum(len(re.findall(r"^\S+==", (ROOT / lock).read_text(), re.MULTILINE)) for lock in sbom.PYTHON_LOCKS)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == "1.4.2"
    of_browsers = [purl for purl in purls if purl.startswith("pkg:npm/")]
    assert len(purls) == len(set(purls)) == pinned + len(of_browsers)
    assert {purl.partition("@")[0] for purl in of_browsers} >= {
        "pkg:npm/htmx.org",
        "pkg:npm/tus-js-client",
        "pkg:npm/uplot",
    }
    assert all(each.get("hashes") or each["externalReferences"][0]["hashes"] for each in bill["components"])
    assert any(purl.startswith("pkg:pypi/django@") for purl in purls)
    assert not any("biome" in purl for purl in purls)  # of development
