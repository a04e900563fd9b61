"""The image: built from the unmodified Dockerfile where no registry is reachable, started from a read-only root.

It takes minutes, root, and buildah, netavark and debootstrap from the system's packages: TMS_BUILD_IMAGE=1 asks for it.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.processes import HOST, PostgreSQL, Redis
from deploy.processes.tms_process import TmsProcess
from tests.support.servers.tms import ROOT

NEEDED = ("buildah", "debootstrap", "unshare")
MISSING = [program for program in NEEDED if shutil.which(program) is None]

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        os.environ.get("TMS_BUILD_IMAGE") != "1", reason="THE IMAGE IS NOT BUILT: set TMS_BUILD_IMAGE=1"
    ),
    pytest.mark.skipif(bool(MISSING), reason=f"THE IMAGE IS NOT BUILT: {' and '.join(MISSING)} not installed"),
]

IN_ITS_ROOT = """
set -e
mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"
mount -t tmpfs none "$0/tmp" && mount -t proc none "$0/proc" && mount --rbind /dev "$0/dev"
exec chroot --userspec=10001:10001 "$0" "$@"
"""
"""What a container engine does, as far as it matters here."""


class Image(NamedTuple):
    root: Path
    config: Mapping[str, Any]

    def command(self, *words: str) -> list[str]:
        """The entry point with `words`, in its own mount namespace."""
        return ["unshare", "--mount", "sh", "-c", IN_ITS_ROOT, str(self.root), *self.config["Entrypoint"], *words]

    @property
    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.config["Env"])


class Container(TmsProcess):
    def __init__(self, image: Image, role: str, environment: Mapping[str, str]) -> None:
        super().__init__(environment=environment, name=f"image-{role}")
        self._image, self._role = image, role

    @property
    def arguments(self) -> Sequence[str]:
        return [self._role, "--port", str(self.port)]

    @property
    def command(self) -> Sequence[str]:
        return self._image.command(*self.arguments)

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        return super(TmsProcess, self).spawn(command, env=self.environment, **options)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    where = os.environ.get("TMS_IMAGE_DIR") or str(tmp_path_factory.mktemp("image"))
    result = subprocess.run(
        [ROOT / "deploy/image/build-offline", where], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    print(result)
    facts = dict(re.findall(r"^(\w+): (.*)$", result, re.MULTILINE))
    yield Image(Path(facts["root"]), json.loads(facts["config"]))
    for mount in _mounts_below(where):
        subprocess.run(["umount", mount], check=True)


def _mounts_below(folder: str) -> list[str]:
    """The innermost first."""
    mount_points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((mount_point for mount_point in mount_points if mount_point.startswith(f"{folder}/")), reverse=True)


@pytest.fixture(scope="module")
def environment(image: Image) -> Iterator[dict[str, str]]:
    """The environment that a deployment adds to that of the image."""
    with PostgreSQL() as postgresql, Redis() as redis:
        yield image.environment | {
            "TMS_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "TMS_ALLOWED_HOSTS": "tms.example.com",
            "TMS_TRUSTED_PROXIES": f"{HOST}/32",
            "TMS_DATABASE_URL": postgresql.url,
            "TMS_REDIS_URL": redis.url,
            "TMS_DRAIN_SPREAD_S": "1",
        }


def test_it_runs_as_an_unprivileged_user_and_reports_its_health(image):
    assert image.config["User"] == "10001:10001"
    assert image.config["Cmd"] == ["serve"]
    assert image.config["Healthcheck"]["Test"][:2] == ["CMD", "deploy/image/entrypoint"]


def test_each_role_works_with_a_read_only_root(image, environment):
    for role in ("migrate", "migrate", "check"):
        subprocess.run(image.command(role), env=environment, check=True)
    with Container(image, "clock", environment), Container(image, "serve", environment) as serve:
        status, body = serve.get("/health/")
        page, text = serve.get("/sign-in/", Host="tms.example.com", **{"X-Forwarded-Proto": "https"})
        style = re.search(r'/static/css/[^"]+\.css', text)
        assert style is not None
        file, _ = serve.get(style[0], Host="tms.example.com", **{"X-Forwarded-Proto": "https"})
        serve.stop()

        assert (status, page, file) == (200, 200, 200), body
        assert serve.process is not None
        assert serve.process.returncode == 0
