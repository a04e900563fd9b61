import json
import subprocess
import sys

from tests.server.process import ROOT


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_connection_is_accepted_before_the_application_is_ready(launch):
    server = launch(start="on command")
    server.port = server.event("starting")["port"]
    early = server.dial(b"GET /facts HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")

    server.send("start")

    early.read_head()
    assert early.status == 200
    assert json.loads(early.read_body())["early"] == 0


def test_a_synchronous_function_may_make_the_application_ready(launch):
    server = launch(start="plain")

    server.started()

    assert server.facts()["early"] == 0


def test_an_application_that_fails_to_start_ends_the_process_with_the_reason(launch):
    server = launch(start="fail")
    server.may_fail = True

    server.event("starting")

    assert server.exit_code() == 1
    assert "RuntimeError: the hub did not start" in server.log


def test_a_signal_during_the_start_ends_the_process(launch):
    server = launch(start="never")
    server.event("starting")

    server.send_signal()

    server.event("interrupted")
    assert server.event("stopping")["running"] == 0
    server.event("over")
    assert server.exit_code() == 0


def test_a_port_in_use_is_reported_before_anything_starts(server, launch):
    second = launch(port=server.port)

    refused = second.event("refused")

    assert (refused["kind"], refused["host"], refused["port"]) == ("PortInUse", "127.0.0.1", server.port)
    assert refused["text"].endswith(f"cannot listen on 127.0.0.1 port {server.port}: Address already in use")
    assert second.exit_code() == 3


def test_an_address_of_another_machine_cannot_be_used(launch):
    server = launch(host="192.0.2.1", port=80)

    refused = server.event("refused")

    assert (refused["kind"], refused["host"], refused["port"]) == ("CannotListen", "192.0.2.1", 80)


def test_the_server_imports_neither_django_nor_the_rest_of_tms():
    done = python("import sys, tms.server.server; print(*sys.modules)")

    modules = done.stdout.split()
    assert "django" not in modules
    ours = {".".join(name.split(".")[:2]) for name in modules if name.startswith("tms.")}
    assert ours == {"tms.server", "tms.protocol"}
