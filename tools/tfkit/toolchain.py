"""Installs Terraform and the stub providers below .tools, from the Python package index only."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.tfkit import wire
from tools.tfkit.generated import Json
from tools.tfkit.schema import extract

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
INSTALLER = ROOT / ".tools/uv/bin"
"""Created by scripts/bootstrap; contains uv and its own pip."""

RUNTIME = HERE / "runtime.txt"
"""Terraform itself, as a shared library, and the requirements of a provider."""

SCHEMAS = HERE / "schemas.txt"
"""The packages whose generated code contains the schemas.

Only their data is used, so their dependencies are not installed.
"""

MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

TERRAFORM = """\
#!/bin/sh
# The stub listens on a private Unix socket, so it does without certificates.
export TF_DISABLE_PLUGIN_TLS=1 CHECKPOINT_DISABLE=1
PYTHONPATH="{root}" exec "{python}" -P -m tools.tfkit.terraform "$@"
"""

PROVIDER = """\
#!/bin/sh
PYTHONPATH="{root}" exec "{python}" -P -m tools.tfkit.provider "{schema}"
"""

NO_ANSWER = (
    "Connection refused",
    "Could not connect",
    "Name or service not known",
    "Network is unreachable",
    "NewConnectionError",
    "Temporary failure in name resolution",
    "dns error",
    "error sending request",
    "timed out",
)


class SetupError(Exception):
    """Set-up cannot continue; the message has the reason."""


class RegistryUnreachable(SetupError):
    """The package index did not answer."""


@dataclass(frozen=True)
class Toolchain:
    cache: Path = ROOT / ".tools/terraform"

    @property
    def python(self) -> Path:
        """The interpreter that has Terraform and gRPC."""
        return self.cache / "venv/bin/python"

    @property
    def terraform(self) -> Path:
        return self.cache / "bin/terraform"

    @property
    def plugins(self) -> Path:
        """The folder for `terraform init -plugin-dir`."""
        return self.cache / "plugins"

    @property
    def schemas(self) -> Path:
        """Each schema twice: as JSON for people, and encoded for the stub."""
        return self.cache / "schemas"

    @property
    def stamp(self) -> Path:
        return self.cache / "versions.json"

    def versions(self) -> dict[str, str]:
        """What the cache holds; nothing when it is absent, unfinished or out of date."""
        try:
            found = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}
        return dict(found["providers"]) if found["wanted"] == self.wanted() else {}

    def wanted(self) -> dict[str, str]:
        """All inputs of the cache. Its scripts contain the path of the checkout."""
        code = hashlib.sha256()
        for part in (*sorted(HERE.glob("*.py")), RUNTIME, SCHEMAS):
            code.update(part.read_bytes())
        return {"code": code.hexdigest(), "cache": str(self.cache), "python": sys.version}

    def setup(self) -> dict[str, str]:
        """Fill the cache unless it is right already. Returns the versions of the providers; raises SetupError."""
        with self._alone():
            if ready := self.versions():
                return ready
            for old in ("venv", "bin", "plugins", "schemas"):
                shutil.rmtree(self.cache / old, ignore_errors=True)
            self.stamp.unlink(missing_ok=True)
            self.schemas.mkdir(parents=True)
            self._install_runtime()
            providers = dict(self._install_provider(wheel) for wheel in self._download())
            self.stamp.write_text(json.dumps({"wanted": self.wanted(), "providers": providers}, indent=2))
            return providers

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Several test workers may request it at once; the first one sets up, and the others wait."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _install_runtime(self) -> None:
        print_status("fetching Terraform")
        uv = str(INSTALLER / "uv")
        run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(self.cache / "venv"))
        run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(self.python), str(RUNTIME))
        write_script(self.terraform, TERRAFORM.format(root=ROOT, python=self.python))

    def _download(self) -> list[Path]:
        print_status("fetching the schemas of the providers")
        folder = self.cache / "wheels"
        pip = (str(INSTALLER / "python"), "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
        run(*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(SCHEMAS))
        named = dict(line.split()[0].split("==") for line in SCHEMAS.read_text().splitlines() if "==" in line)
        return [next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl")) for name, version in named.items()]

    def _install_provider(self, wheel: Path) -> tuple[str, str]:
        """Extract one schema, and create the stub that serves it."""
        address, version, document = extract(wheel)
        encoded = self.schemas / f"{wheel.stem}.pb"
        schema = document["provider_schemas"][address]
        encoded.write_bytes(wire.provider_schema(schema))
        encoded.with_suffix(".computed.json").write_text(json.dumps(computed_only(schema)))
        encoded.with_suffix(".json").write_text(json.dumps(document))
        name = address.rsplit("/", 1)[1]
        folder = self.plugins / address / version / platform_name()
        script = PROVIDER.format(root=ROOT, python=self.python, schema=encoded)
        write_script(folder / f"terraform-provider-{name}_v{version}", script)
        return address, version


def computed_only(schema: Json) -> dict[str, dict[str, list[str]]]:
    """The attributes that only the provider may set, by section and type."""
    return {
        section: {
            name: [
                attribute
                for attribute, spec in entry["block"]["attributes"].items()
                if not spec.get("optional") and not spec.get("required")
            ]
            for name, entry in schema[section].items()
        }
        for section in ("resource_schemas", "data_source_schemas")
    }


def platform_name() -> str:
    """The platform in Terraform's notation: linux_amd64."""
    machine = MACHINES.get(platform.machine().lower())
    if sys.platform not in ("linux", "darwin") or not machine:
        raise SetupError(f"no Terraform for {sys.platform} on {platform.machine()}")
    return f"{sys.platform}_{machine}"


def run(*command: str) -> None:
    """Raises SetupError with the output of the command."""
    done = subprocess.run(
        command, env=os.environ | {"UV_SYSTEM_CERTS": "1"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip()
        kind = RegistryUnreachable if any(words in output for words in NO_ANSWER) else SetupError
        raise kind(f"{' '.join(command)} failed:\n{output}")


def write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def print_status(text: str) -> None:
    print(f"tfkit: {text}", file=sys.stderr, flush=True)
