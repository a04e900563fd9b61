"""The settings of the agent: file, environment, command line, and what is said about a wrong one."""

import re
from pathlib import Path

import pytest

from tests.agent.running_agent import CREDENTIAL
from tests.support.inventory import ROOT
from tms_agent import arguments
from tms_agent.device.command_probes import ProbeCommand
from tms_agent.device.identity import IdentitySource
from tms_agent.settings.errors import UsageError
from tms_agent.settings.management import management_of
from tms_agent.settings.settings import KEYS, Settings

FULL = """
url = "https://tms.example"
credential_file = "credential"  # beside this file
interval_s = 15
allow_reboot = true
reboot_command = ["systemctl", "reboot"]
log_files = ["/var/log/till.log", "app.log"]
screenshot_command = ["scrot", "-o", "{path}"]
handlers = "/etc/tms-agent/handlers"

[tls]
ca_file = "ca.pem"

[proxy]
url = "http://proxy.example:3128"
user = "shop 7"
password = "a/b@c"

[identity]
serial = { file = "/proc/device-tree/serial-number" }
model = "Till 4"
firmware = { command = ["/usr/bin/version"] }

[probes]
temperature_c = false

[probes.paper_pct]
command = ["/usr/bin/paper", "--percent"]
every_s = 30
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TMS_AGENT_CREDENTIAL", str(CREDENTIAL))
    return tmp_path / "tms-agent.toml"


def load(file: Path, text: str, *options: str) -> Settings:
    file.write_text(text)
    return arguments.parse(["--config", str(file), *options])


def test_a_file_says_everything(file, monkeypatch):
    monkeypatch.delenv("TMS_AGENT_CREDENTIAL")
    (file.parent / "credential").write_text(f"{CREDENTIAL}\n")
    (file.parent / "credential").chmod(0o600)

    read = load(file, FULL)

    assert read.url == "wss://tms.example/ws/terminal/"
    assert read.credential() == CREDENTIAL
    assert (read.interval_s, read.allow_reboot, read.reboot_command) == (15, True, ("systemctl", "reboot"))
    assert read.log_files == (Path("/var/log/till.log"), file.parent / "app.log")
    assert read.handlers == Path("/etc/tms-agent/handlers")
    assert read.network.proxy == "http://shop%207:a%2Fb%40c@proxy.example:3128"
    assert read.identity == {
        "serial": IdentitySource(file=Path("/proc/device-tree/serial-number")),
        "model": IdentitySource(text="Till 4"),
        "firmware": IdentitySource(command=["/usr/bin/version"]),
    }
    assert read.probes.off == {"temperature_c", "paper_pct"}
    assert read.probes.commands == {"paper_pct": ProbeCommand(["/usr/bin/paper", "--percent"], 30, 10)}


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(file, monkeypatch):
    monkeypatch.setenv("TMS_AGENT_INTERVAL_S", "20")
    monkeypatch.setenv("TMS_AGENT_ALLOW_REBOOT", "no")
    monkeypatch.setenv("TMS_AGENT_LOG_FILES", "/var/log/a:/var/log/b")
    monkeypatch.setenv("TMS_AGENT_IDENTITY_SERIAL", "S-1")

    read = load(file, FULL, "--interval", "30", "--url", "https://other.example")

    assert (read.interval_s, read.url, read.allow_reboot) == (30, "wss://other.example/ws/terminal/", False)
    assert read.log_files == (Path("/var/log/a"), Path("/var/log/b"))
    assert read.identity["serial"] == IdentitySource(text="S-1")
    assert read.credential() == CREDENTIAL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("url = ", "this is not TOML: Invalid value (at end of document)"),
        ("\nurl = 7", "line 2, url: 7: expected a text"),
        ("intervall_s = 5", "line 1, intervall_s: unknown; did you mean interval_s?"),
        ("# a file\nca_file = 'x'", "line 2, ca_file: unknown; did you mean tls.ca_file?"),
        ("[proxy]\npasswort = 'x'", "line 2, proxy.passwort: unknown; did you mean proxy.password?"),
        ("[tls]\nurl = 'https://tms.example'", "line 2, tls.url: unknown; did you mean url?"),
        ("tls = 'ca.pem'", "line 1, tls: expected a table, [tls]"),
        ("interval_s = true", "line 1, interval_s: true: expected a number of seconds from 1 to 3600"),
        ("allow_reboot = 'maybe'", "line 1, allow_reboot: maybe: expected true or false"),
        ("log_files = [1]", "line 1, log_files: 1: expected a path"),
        ("[update.keys]\nmine = 'c2hvcnQ='", "update.keys.mine: expected an Ed25519 public key: 32 bytes in Base64"),
        ("[update.formats.swu]\nconfirm = ['x']", "update.formats.swu: install is missing"),
        ("[update.formats.swu]\ninstall = ['x']", "update.formats.swu.install: expected {path} where"),
        ("[update.formats.swu]\ninstalls = ['x']", "update.formats.swu.installs: unknown; did you mean install?"),
        ("screenshot_command = ['scrot']", "line 1, screenshot_command: expected {path} where the command takes"),
        ("reboot_command = []", "line 1, reboot_command: []: expected a command as a list of words"),
        ("[proxy]\nurl = 'socks5://p'", "line 2, proxy.url: expected http://HOST:PORT, or none to use no proxy"),
        ("[proxy]\nuser = 'x'", "line 2, proxy.user: needs proxy.url beside it"),
        ("[identity]\nserial = {dmi = 1}", "line 2, identity.serial.dmi: unknown; known are command, file, hardware"),
        ("[identity]\nserial = {}", "line 2, identity.serial: expected a text, or a table with one of"),
        ("[probes]\ntemperature = false", "line 2, probes.temperature: unknown; did you mean temperature_c?"),
        ("[probes]\ncpu_pct = 'off'", "line 2, probes.cpu_pct: off: expected false, or a table with a command"),
        ("[probes.Paper]\ncommand = ['x']", "line 1, probes.Paper: a reading is named by up to 64 of a-z"),
        ("[probes.paper]\ncommands = ['x']", "line 2, probes.paper.commands: unknown; did you mean command?"),
        ("[probes.paper]\nevery_s = 5", "line 1, probes.paper: command is missing"),
        ("[probes.paper]\ncommand = ['x']\ntimeout_s = 0", "line 3, probes.paper.timeout_s: 0: expected a number"),
        (f"credential = 'T.{'s' * 43}'\ncredential_file = 'x'", "credential_file: use only one of them"),
    ],
)
def test_an_error_names_the_file_the_line_the_key_and_what_would_be_right(file, text, message):
    options = () if "\nurl" in text else ("--url", "https://tms.example")

    with pytest.raises(UsageError) as wrong:
        load(file, text, *options)

    assert str(wrong.value).startswith(str(file))
    assert message in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("url = 'wss://T-1:hush@tms.example'", "hush"),
        ("[proxy]\nurl = 'ftp://me:hush@proxy.example'", "hush"),
        ("[proxy]\nurl = 'http://me:hush/x@proxy.example'", "hush"),
        ("credential = 'T-1.hush'", "hush"),
    ],
)
def test_an_error_never_shows_a_secret(file, monkeypatch, text, secret):
    monkeypatch.delenv("TMS_AGENT_CREDENTIAL")

    with pytest.raises(UsageError) as wrong:
        load(file, text, *([] if text.startswith("url") else ["--url", "https://tms.example"])).credential()

    assert secret not in str(wrong.value)


def test_a_file_that_is_named_must_exist(file):
    with pytest.raises(UsageError, match=r"tms-agent\.toml: No such file or directory"):
        arguments.parse(["--config", str(file)])


@pytest.mark.parametrize(("mode", "is_warned"), [(0o644, True), (0o640, False), (0o600, False)])
def test_a_secret_that_every_user_can_read_is_a_warning(file, mode, is_warned):
    file.touch(mode)
    file.chmod(mode)

    read = load(file, FULL)

    found = [line for line in read.warnings if "proxy.password" in line]
    assert bool(found) is is_warned


def test_a_variable_that_nothing_reads_is_a_warning(file, monkeypatch):
    monkeypatch.setenv("TMS_AGENT_INTERVAL", "5")

    read = load(file, "url = 'https://tms.example'")

    assert read.warnings == ("TMS_AGENT_INTERVAL: nothing reads this variable; did you mean TMS_AGENT_INTERVAL_S?",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("own_versions = true", "update: no keys; without a public key"),
        ("formats = {swu = {install = ['swupdate', '{path}']}}", "update: no keys; without a public key"),
    ],
)
def test_updates_need_a_key(file, tmp_path, text, message):
    read = load(file, f"url = 'https://tms.example'\n[update]\n{text}")

    with pytest.raises(UsageError, match=message):
        management_of(read.changes, tmp_path)


def test_every_setting_is_documented():
    section = (ROOT / "docs/agent.md").read_text().partition("## Configuration file")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([a-z_.]+)` ", section, re.MULTILINE)) == set(KEYS)
