"""The agent replaces itself, and comes back by itself if the new version does not work."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.agent.fake_tms import FakeLink, FakeTMS
from tests.agent.running_agent import CREDENTIAL
from tests.support.inventory import ROOT
from tms.protocol import downlink, frames, uplink

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
SOURCE = ROOT / "agent/src"


@pytest.fixture
def supervised(tms, tmp_path) -> Iterator[None]:
    """An agent under its supervisor, which connects to `tms`."""
    key = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    config = tmp_path / "tms-agent.toml"
    config.write_text(
        f"url = '{tms.url}'\nspool = 'spool'\n[identity]\nmodel = 'KX-21'\n"
        f"[update]\nown_versions = true\n[update.keys]\nrelease = '{key}'\n"
    )
    command = [sys.executable, "-m", "tms_agent", "supervise", "--config", str(config)]
    environment = os.environ | {"TMS_AGENT_CREDENTIAL": str(CREDENTIAL)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        yield
        process.terminate()


def wheel(version: str, **changes: str) -> bytes:
    """A wheel of this agent with another version, with changed modules."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for module in (SOURCE / "tms_agent").rglob("*.py"):
            name = str(module.relative_to(SOURCE))
            archive.writestr(name, changes.get(module.stem, module.read_text()))
        facts = f"Metadata-Version: 2.1\nName: tms-agent\nVersion: {version}\n"
        archive.writestr(f"tms_agent-{version}.dist-info/METADATA", facts)
    return content.getvalue()


async def send(tms: FakeTMS, link: FakeLink, version: str, content: bytes) -> None:
    """Let the agent install a version, and say goodbye."""
    facts = {
        "name": "tms-agent", "models": ["KX-21"], "version": version, "format": "tms-agent", "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "expires": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    text = json.dumps(facts)
    signature = frames.ManifestSignature("release", base64.b64encode(KEY.sign(text.encode())).decode())
    tms.files["/download/1"] = content
    deadline = datetime.now(UTC) + timedelta(minutes=10)
    await link.send(downlink.UpdateCall("u1", frames.UpdateFrame(text, (signature,), "/download/1", deadline)))
    answer = await link.expect(uplink.CommandAnswer)
    goodbye = await link.expect(uplink.GoodbyeCall)
    assert answer.result["version"] == version
    assert goodbye.params.reason == "update"


@pytest.mark.usefixtures("supervised")
async def test_a_version_that_works_stays_and_one_that_does_not_start_goes(tms, tmp_path):
    first = await tms.booted()
    await send(tms, first, "2.0", wheel("2.0"))
    second = await tms.booted()
    await send(tms, second, "3.0", wheel("3.0", __main__="raise ImportError('half a file')"))
    third = await tms.booted()

    versions = [link.booted.agent for link in (first, second, third)]
    assert versions[1:] == ["tms-agent/2.0", "tms-agent/2.0"]
    assert versions[0] not in ("tms-agent/2.0", "tms-agent/3.0")
    assert [path.name for path in (tmp_path / "versions").iterdir() if path.is_dir()] == ["2.0"]
