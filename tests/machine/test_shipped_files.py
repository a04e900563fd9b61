"""Properties of the machine's and the image's files that can be checked without starting them."""

import hashlib
import os
import re
import signal
import socket
import subprocess
from configparser import RawConfigParser

import pytest
import yaml

from tests.machine.machine import EXPORTS, SCRIPTS
from tests.support.polling import wait_for
from tests.support.servers.tms import ROOT
from tms.server.flow import Flow

USER_DATA_BYTES = 16_384
"""The maximum of AWS."""

ROLES = {"serve", "clock", "migrate", "check"}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = {name: service for name, service in COMPOSE.items() if service["image"] == "tms"}


def test_user_data_is_small_enough_with_the_exports_of_terraform():
    exports = "".join(f"export {name}='{value * 4}'\n" for name, value in EXPORTS.items())

    assert len(f"#!/bin/bash\n{exports}{(SCRIPTS / 'userdata.sh').read_text()}") < USER_DATA_BYTES


def test_userdata_reports_missing_variables():
    script = (SCRIPTS / "userdata.sh").read_text()
    asked = re.search(r"EXPORTS='([^|]+)\|([^']+)'", script)
    assert asked is not None

    assert set(asked[1].split()) <= EXPORTS.keys()
    assert EXPORTS.keys() <= {*asked[1].split(), *asked[2].split()}


def test_nginx_and_the_server_keep_connections_longer_than_the_load_balancer():
    """The side that sends requests must close first; else a request may arrive at a closed connection."""
    [idle_s] = re.findall(r"idle_timeout +=\s*(\d+)", (ROOT / "deploy/terraform/balancer.tf").read_text())
    site = (ROOT / "deploy/nginx/site.conf").read_text()
    [keep_s], [requests] = (
        re.findall(r"keepalive_timeout (\d+)s;", site),
        re.findall(r"keepalive_requests (\d+);", site),
    )

    assert min(int(keep_s), Flow().keep_alive) > int(idle_s)
    assert int(requests) >= 10_000


def test_nodes_and_clock_have_enough_time_to_drain():
    supervisor = RawConfigParser()
    supervisor.read(SCRIPTS / "supervisord.conf")

    for program in ("program:node", "program:clock"):
        assert supervisor[program]["stopsignal"] == "TERM"
        assert supervisor[program]["stopwaitsecs"] == "@PATIENCE_S@"
    assert "${spread%.*} + 40" in (SCRIPTS / "configure").read_text()


def test_every_placeholder_in_a_machines_files_is_filled_in():
    filled = set(re.findall(r"@([A-Z_]+)@", (SCRIPTS / "configure").read_text()))
    templates = [path for path in SCRIPTS.iterdir() if path.suffix in {".conf", ".json", ".service"}]
    blanks = {blank for path in templates for blank in re.findall(r"@([A-Z_]+)@", path.read_text())}

    assert templates
    assert blanks == filled


@pytest.mark.parametrize("serves", [False, True])
def test_an_installation_gives_way_on_a_machine_that_serves(serves, tmp_path):
    artefacts, current, tar = (tmp_path / name for name in ("opt/tms/artefacts", "opt/tms/current", "bin/tar"))
    for folder in (artefacts, tar.parent, *([current] if serves else [])):
        folder.mkdir(parents=True)
    tar.write_text("#!/bin/sh\nps -o ni= -p $$\nexit 1\n")
    tar.chmod(0o755)
    (artefacts / "tms-1.4.2.tar.gz").write_bytes(b"a release")
    digest = hashlib.sha256(b"a release").hexdigest()
    (artefacts / "tms-1.4.2.tar.gz.sha256").write_text(f"{digest}  tms-1.4.2.tar.gz\n")

    environment = os.environ | {"TMS_ROOT": str(tmp_path), "PATH": f"{tar.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [SCRIPTS / "install-release", "1.4.2"], env=environment, capture_output=True, text=True, check=False
    )

    assert int(done.stdout) == (10 if serves else os.nice(0)), done.stderr


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_compose_has_a_role_and_a_read_only_root(name):
    service = OURS[name]

    assert set(service["command"]) <= ROLES
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


def test_compose_starts_a_process_when_its_dependencies_are_ready():
    for name in ("serve-1", "serve-2", "clock"):
        conditions = {needed: how["condition"] for needed, how in COMPOSE[name]["depends_on"].items()}

        assert conditions == {"migrate": "service_completed_successfully", "redis": "service_healthy"}


def test_the_image_accepts_its_roles_and_refuses_others():
    done = subprocess.run(
        ["sh", ROOT / "deploy/image/entrypoint", "gunicorn"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, "expected is serve, clock, migrate, check" in done.stderr) == (2, True)


def test_the_image_has_a_directory_that_every_user_may_write():
    """Fargate mounts the volume with the owner and mode of the directory in the image, otherwise for root only."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    made, volume, user = (
        lines.index(line) for line in ("RUN install -d -m 1777 /tmp", 'VOLUME ["/tmp"]', "USER 10001:10001")
    )

    assert made < volume < user


def test_the_image_contains_only_what_it_runs():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[1] == "*"
    assert not {"!tests", "!docs", "!.git", "!.env", "!deploy"} & set(ignored)


@pytest.mark.parametrize(
    ("dumps", "hours_from_now", "old_enough_h"),
    [("daily", 0, 6), ("daily", 12, 25), ("weekly", 0, 140), ("weekly", 12, 156)],
)
def test_a_machine_checks_for_a_backup_regularly_and_makes_it_at_night(tmp_path, dumps, hours_from_now, old_enough_h):
    backup = tmp_path / "opt" / "tms" / "current" / "deploy" / "backup.sh"
    clock = tmp_path / "bin" / "date"
    for program, does in ((backup, 'echo "asked: $* at $(nice)"\nexit 1'), (clock, "echo 17")):
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    settings = os.environ | {
        "TMS_ROOT": str(tmp_path),
        "TMS_BACKUP_CHECK_EVERY_S": "0",
        "TMS_DUMPS": dumps,
        "TMS_BACKUP_HOUR": str((17 + hours_from_now) % 24),
        "PATH": f"{clock.parent}:{os.environ['PATH']}",
    }

    with subprocess.Popen(
        [SCRIPTS / "backups"], env=settings, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as looking:
        assert looking.stdout is not None
        lines = [looking.stdout.readline() for _ in range(4)]
        os.killpg(looking.pid, signal.SIGTERM)

    asked = f"asked: --stream --unless-younger {old_enough_h} at 19\n"
    assert lines[0] == lines[2] == asked
    assert lines[1].endswith("no backup was made (1); the next check is in 0 s\n")


SUPERVISORCTL = """#!/bin/sh
shift 2
case $1 in status) echo "$2 RUNNING" ;; *) echo "$*" ;; esac
"""


def test_a_node_that_accepts_connections_and_answers_none_is_killed(tmp_path):
    program = tmp_path / "opt/tms/supervisor/bin/supervisorctl"
    program.parent.mkdir(parents=True)
    program.write_text(SUPERVISORCTL.replace('*) echo "$*"', f'*) echo "$*" >>{tmp_path}/signals'))
    program.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        settings = {"TMS_ROOT": str(tmp_path), "TMS_FIRST_NODE_PORT": str(port), "TMS_NODES": "1"}
        quick = {"TMS_LOOK_EVERY_S": "0", "TMS_ANSWER_WITHIN_S": "0.1"}

        with subprocess.Popen(
            [SCRIPTS / "watchdog"], env=os.environ | settings | quick, stdout=subprocess.PIPE, text=True
        ) as watchdog:
            assert watchdog.stdout is not None
            printed = watchdog.stdout.readline()
            wait_for((tmp_path / "signals").exists)
            watchdog.terminate()

    assert printed.endswith("node-1 has not answered 3 times in 0.1 s: killing it\n")
    assert (tmp_path / "signals").read_text().splitlines()[0] == "signal KILL tms:node-1"
