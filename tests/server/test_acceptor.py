import signal
import socket

from tests.server.process import ServerProcess
from tests.support.link.raw_client import HOST, upgrade
from tests.support.polling import wait_for


def reaches(server: ServerProcess) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, server.port)) == 0


def test_upgrades_above_the_limit_are_refused_while_pages_are_served(serve):
    server = serve(max_connections=2, spare_connections=5)
    inside = [server.connect() for _ in range(2)]

    refused = server.connect()

    assert refused.status == 503
    assert refused.headers["retry-after"] == "10"
    assert server.facts()["counters"]["refused_full"] == 1
    inside[0].vanish()
    server.wait_for(lambda facts: facts["sockets"] == 1)
    assert server.connect().status == 101


def test_the_listener_closes_when_the_spare_connections_are_used_up_until_one_closes(serve):
    server = serve(max_connections=2, spare_connections=2)
    asking, *others = (server.dial() for _ in range(4))
    wait_for(lambda: server.facts(asking), lambda seen: seen["inside"] == 4)

    wait_for(lambda: reaches(server), lambda reached: not reached)

    assert server.facts(asking)["counters"]["listening_stopped"] == 1
    others[0].vanish()
    wait_for(lambda: reaches(server))
    assert "full: 4 connections are open" in server.log
    wait_for(lambda: "listening again" in server.log)  # logged after the port can be reached


def test_a_burst_exceeds_the_limit_by_at_most_one(serve):
    server = serve(max_connections=2, spare_connections=2)
    asking = server.dial()
    server.facts(asking)

    server.send_signal(signal.SIGSTOP)
    for _ in range(20):
        server.dial()
    server.send_signal(signal.SIGCONT)

    wait_for(lambda: reaches(server), lambda reached: not reached)
    assert server.facts(asking)["inside"] == 4


def test_a_process_with_a_closed_listener_can_drain(serve):
    server = serve(max_connections=1, spare_connections=1)
    client = server.connect()
    server.dial()
    wait_for(lambda: reaches(server), lambda reached: not reached)

    server.send_signal()

    assert client.receive() == "drain"
    assert server.exit_code() == 0


def test_accepting_pauses_while_handshakes_wait_for_the_application(serve):
    server = serve(max_handshakes=2, handshake_timeout=20)
    asking = server.dial()
    waiting = [server.dial(upgrade("/hang")) for _ in range(2)]
    wait_for(lambda: server.facts(asking), lambda seen: seen["handshaking"] == 2)

    third = server.dial(upgrade("/echo"))

    assert server.facts(asking)["inside"] == 3
    server.open_gate(asking)
    for client in [*waiting, third]:
        client.read_head()
        assert client.status == 101


def test_a_process_with_few_descriptors_does_not_run_out_of_them(serve):
    server = serve(options={"descriptors": 260})
    asking, *others = (server.dial() for _ in range(260 - 200))

    wait_for(lambda: reaches(server), lambda reached: not reached)

    assert server.facts(asking)["inside"] == 60
    for client in others:
        client.vanish()
    wait_for(lambda: reaches(server))
    assert server.connect().status == 101


def test_too_few_descriptors_for_the_connections_cause_a_warning(serve):
    server = serve(options={"descriptors": 1000}, max_connections=5000)

    assert "descriptors suffice for 736 connections, not 5000 (ulimit -n)" in server.log
