import logging

import pytest

from tests.agent.running_agent import CREDENTIAL
from tms_agent import arguments as agent_arguments
from tms_agent.__main__ import OneLineFormatter, main
from tms_agent.settings.settings import CREDENTIAL_VARIABLE
from tms_agent.settings.values import sends_secrets_in_the_clear

URL = "wss://tms.example/ws/terminal/"


@pytest.fixture(autouse=True)
def credential(monkeypatch):
    monkeypatch.setenv(CREDENTIAL_VARIABLE, str(CREDENTIAL))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "no URL: set --url, TMS_AGENT_URL, or url in "),
        (["--url", "ftp://tms.example"], "--url: ftp://tms.example: expected https://HOST or wss://HOST/ws/terminal/"),
        (["--url", "tms.example"], "--url: tms.example: expected https://HOST"),
        (["--url", "ws://:80/"], "--url: ws://:80/: expected https://HOST"),
        (["--url", "ws://host:99999/"], "--url: ws://host:99999/: Port out of range 0-65535"),
        (["--url", "wss://T-1:secret@tms.example/"], "--url: must not contain a credential"),
        (["--url", f"{URL}?credential=x"], "--url: must not contain a credential"),
        (["--url", URL, "--credential", "T-1.short"], "--credential: not a credential; expected UID.SECRET"),
        (["--url", URL, "--credential-file", "/nowhere"], "credential_file /nowhere: No such file or directory"),
        (["--url", URL, "--interval", "0"], "--interval: 0: expected a number of seconds from 1 to 3600"),
        (["--url", URL, "--interval", "often"], "--interval: often: expected a number of seconds"),
        (["--url", URL, "--interval", "nan"], "--interval: nan: expected a number of seconds"),
        (["--url", URL, "--spool", "/dev/null/spool"], "/dev/null/spool cannot be used as spool: "),
        (["--url", URL, "--spool", "/dev/null/locked/spool"], "/dev/null/locked/spool cannot be used as spool: "),
        (["--url", URL, "--frequency", "5"], "unrecognized arguments: --frequency 5"),
    ],
)
def test_invalid_input_causes_a_one_line_error_and_exit_code_2(capsys, arguments, line):
    status = main(arguments)

    message = capsys.readouterr().err
    assert status == 2
    assert message.startswith(f"tms-agent: {line}")
    assert message.count("\n") == 1


@pytest.mark.parametrize("content", ["", "  \n", "\N{SNOWMAN}", "T-1"])
def test_a_file_without_a_credential_is_refused(capsys, monkeypatch, tmp_path, content):
    file = tmp_path / "credential"
    file.write_text(content)

    status = main(["--url", URL, "--credential-file", str(file)])

    assert status == 2
    assert "credential" in capsys.readouterr().err


def test_a_missing_credential_is_reported_with_the_ways_to_set_it(capsys, monkeypatch):
    monkeypatch.delenv(CREDENTIAL_VARIABLE)

    status = main(["--url", URL])

    assert status == 2
    assert capsys.readouterr().err == (
        "tms-agent: no credential: set --credential-file, TMS_AGENT_CREDENTIAL or --credential\n"
    )


def test_a_secret_is_never_repeated(capsys):
    main(["--url", URL, "--credential", "T-1.not-long-enough-a-secret"])

    assert "not-long-enough" not in capsys.readouterr().err


def test_a_file_wins_over_the_environment(tmp_path):
    file = tmp_path / "credential"
    file.write_text(f"T-2.{'f' * 43}\n")

    choices = agent_arguments.parse(["--url", URL, "--credential-file", str(file)])

    assert choices.credential().uid == "T-2"


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("https://tms.example", URL),
        ("wss://tms.example/", URL),
        ("wss://proxy.example/tms/ws/terminal/", "wss://proxy.example/tms/ws/terminal/"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/terminal/"),
    ],
)
def test_the_url_of_tms_becomes_that_of_the_link(given, link):
    assert agent_arguments.parse(["--url", given]).url == link


def test_the_default_spool_is_in_the_state_directory_of_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")

    assert agent_arguments.parse(["--url", URL]).spool_of("T-1") == tmp_path / "tms-agent" / "T-1.spool"


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [("ws://tms.example/", True), ("wss://tms.example/", False), ("ws://127.0.0.1/", False), ("ws://[::1]/", False)],
)
def test_an_unencrypted_link_logs_a_warning(url, is_warned):
    assert sends_secrets_in_the_clear(url) is is_warned


def test_a_log_entry_is_one_line_regardless_of_its_contents(caplog):
    caplog.handler.setFormatter(OneLineFormatter())
    caplog.set_level("INFO", logger="tms_agent")

    logging.getLogger("tms_agent").info("a\r\nb\x1b[31mc\u2028d")

    assert caplog.handler.format(caplog.records[0]) == "a\\r\\nb\\x1b[31mc\\u2028d"
