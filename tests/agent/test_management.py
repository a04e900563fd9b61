"""Configurations and updates over a link."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.agent.fake_tms import FakeLink
from tests.support.polling import wait_for_value_async
from tms.protocol import downlink, frames, uplink
from tms.protocol.errors import ErrorType
from tms_agent.configuring.program import ConfigurationProgram
from tms_agent.management import ManagementSettings
from tms_agent.options import Options
from tms_agent.updating.programs import Programs
from tms_agent.updating.updater import UpdateSettings

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
CONTENT = b"firmware" * 10_000
APPLY = """
import json, sys
values = json.load(sys.stdin)
open({path!r}, "w").write(json.dumps(values))
print(json.dumps({{"refused": {{"ghost": "no such thing"}}, "needs_restart": True}}))
"""


@pytest.fixture
def managed(tmp_path):
    """Options of an agent that may be configured and updated."""

    def managed(undo_after_s: float = 60) -> Options:
        script = tmp_path / "apply.py"
        script.write_text(APPLY.format(path=str(tmp_path / "applied")))
        installs = ("sh", "-c", f"cp {{path}} {tmp_path}/installed-{{version}}")
        return Options(
            jitter=lambda: 1.0,
            management=ManagementSettings(
                tmp_path / "state",
                ConfigurationProgram(("python3", str(script))),
                undo_after_s,
                UpdateSettings(
                    tmp_path / "state",
                    {"release": KEY.public_key().public_bytes_raw()},
                    {"swu": Programs(installs, restart_command=("reboot",))},
                ),
            ),
        )

    return managed


def deadline() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


async def configure(link: FakeLink, version: int, **values: Any) -> None:
    await link.send(downlink.ConfigCall(f"v{version}", frames.ConfigFrame(version, values, deadline())))


async def test_a_configuration_is_answered_on_the_link_that_proves_it(tms, start, managed, tmp_path):
    start(options=managed())
    link = await tms.booted()

    await configure(link, 7, volume=3, ghost=1)
    again = await tms.booted()
    answer = await again.expect(uplink.CommandAnswer)

    assert (link.booted.features, link.booted.config_version) == (("config", "update"), 0)
    assert again.booted.config_version == 7
    assert answer.id == "v7"
    assert answer.result == {
        "version": 7,
        "applied": ["volume"],
        "refused": {"ghost": "no such thing"},
        "needs_restart": True,
    }
    assert json.loads((tmp_path / "applied").read_text()) == {"volume": 3, "ghost": 1}


async def test_a_configuration_with_which_tms_cannot_be_reached_is_undone(tms, start, managed, tmp_path):
    start(options=managed(undo_after_s=0.3))
    link = await tms.booted()

    await configure(link, 7, proxy="http://nowhere.example.com")
    unanswered = await tms.link()  # its boot is never answered
    await wait_for_value_async((tmp_path / "state/configuration-on-trial.json").exists, expected=False)
    unanswered.cut()
    again = await tms.booted()
    answer = await again.expect(uplink.CommandAnswer)

    assert answer.error.data.type == "tms:refused"
    assert answer.error.message == "undone: TMS could not be reached with it within 0 s"
    assert again.booted.config_version == 0
    assert json.loads((tmp_path / "applied").read_text()) == {}


async def test_an_update_is_installed_before_the_goodbye(tms, start, managed, tmp_path):
    agent = start(options=managed())
    link = await tms.booted()
    facts = {"name": "kiosk", "version": "4.8.3", "format": "swu", "expires": "2099-01-01T00:00:00Z"}
    facts |= {"models": [link.booted.model], "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    text = json.dumps(facts)
    signature = frames.ManifestSignature("release", base64.b64encode(KEY.sign(text.encode())).decode())
    tms.files["/download/1"] = CONTENT

    await link.send(downlink.UpdateCall("u1", frames.UpdateFrame(text, (signature,), "/download/1", deadline())))
    answer = await link.expect(uplink.CommandAnswer)
    goodbye = await link.expect(uplink.GoodbyeCall)
    await agent.ended()

    assert answer.result["version"] == "4.8.3"
    assert goodbye.params.reason == "update"
    assert goodbye.params.back_at
    assert (tmp_path / "installed-4.8.3").read_bytes() == CONTENT
    assert agent.agent.restart_command == ("reboot",)


@pytest.mark.parametrize("damaged", ["configuration-on-trial.json", "update.json"])
async def test_a_damaged_file_of_a_change_keeps_no_terminal_from_tms(tms, start, managed, tmp_path, damaged):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / damaged).write_text('{"result": {}, "is_installed": true}')

    start(options=managed())
    link = await tms.booted()
    answer = await link.command("ping")

    assert answer.result == {"echo": {}}
    await wait_for_value_async((tmp_path / "state" / damaged).exists, expected=False)


async def test_a_terminal_whose_owner_set_up_nothing_knows_neither(tms, start):
    start()
    link = await tms.booted()

    await configure(link, 7)
    answer = await link.expect(uplink.CommandAnswer)

    assert link.booted.features == ()
    assert answer.error.data.type == ErrorType.UNKNOWN_METHOD
