import signal
import socket

import pytest

from tests.support.link.raw_client import HOST, Closed, Lost, frame, upgrade


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_closes_every_socket_with_its_code_and_exits_with_0(serve, how):
    server = serve()
    boards = [server.connect("/board") for _ in range(3)]
    terminals = [server.connect("/echo") for _ in range(30)]

    server.send_signal(how)

    assert server.event("draining") == {"event": "draining", "sockets": 33, "same": True, "draining": True}
    for client in boards + terminals:
        code = 4100 if client in boards else 4503
        assert client.receive() == "drain", "the hook comes before the close"
        assert client.receive() == Closed(code, "restarting; reconnect")
        client.close(code)
    stopping = server.event("stopping")
    assert stopping["running"] == 0, "all applications have ended"
    assert sorted(stopping["ends"]) == [4100] * 3 + [4503] * 30
    assert stopping["counters"]["drained"] == 33
    server.event("over")
    assert server.exit_code() == 0


def test_closes_are_spread(serve):
    server = serve(drain_spread=600)
    first, second = server.connect(), server.connect()

    server.send_signal()

    assert [first.receive(), first.receive()] == ["drain", Closed(4503, "restarting; reconnect")]
    assert second.receive() == "drain"
    second.send("still served")
    assert second.receive() == "still served"


def test_new_connections_are_refused_during_the_drain(serve):
    server = serve(drain_spread=600)
    server.connect()
    server.connect()
    waiting = server.dial()

    server.send_signal()
    server.event("draining")

    assert refuses(server.port)
    waiting.shake_hands("/echo")
    assert waiting.status == 503
    assert waiting.headers["retry-after"] == "10"


def test_a_waiting_handshake_is_refused(serve):
    server = serve()
    waiting = server.dial(upgrade("/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)

    server.send_signal()

    waiting.read_head()
    assert waiting.status == 503
    assert waiting.headers["retry-after"] == "10"
    assert server.exit_code() == 0


def test_a_request_in_progress_is_answered(serve):
    server = serve(close_timeout=20)
    request = server.dial(b"GET /wait HTTP/1.1\r\nHost: server\r\n\r\n")
    asking = server.dial()
    server.wait_for(lambda facts: facts["connections"] == 2)

    server.send_signal()
    server.event("draining")
    server.open_gate(asking)

    request.read_head()
    assert request.status == 200
    assert server.exit_code() == 0


def test_unresponsive_clients_and_applications_do_not_block_it(serve):
    server = serve(close_timeout=0.3, exit_timeout=0.3)
    silent = [server.connect() for _ in range(5)]
    server.connect("/push?count=500&size=64000", receive_buffer=4096)
    server.connect("/stay")

    server.send_signal()

    assert server.exit_code() == 0
    assert isinstance(silent[0].receive_until_end(), Closed | Lost)


def test_a_second_signal_ends_it_at_once(serve):
    server = serve(drain_spread=600)
    clients = [server.connect(), server.connect()]

    server.send_signal()
    server.event("draining")
    assert clients[0].receive() == "drain"
    server.send_signal()

    assert server.exit_code() == 1


@pytest.mark.parametrize(("spoil", "message"), [("on_drain", "the hook failed"), ("drain_code", "close code 1001")])
def test_a_failing_hook_does_not_stop_the_drain(serve, spoil, message):
    server = serve(options={"spoil": [spoil]})
    server.may_fail = True
    client = server.connect()

    server.send_signal()

    assert client.receive_until_end() == Closed(4503, "restarting; reconnect")
    client.close(4503)
    assert server.exit_code() == 0
    assert message in server.log


def test_a_socket_with_paused_reading_still_receives_the_answer_to_its_close(serve):
    server = serve(close_timeout=3)
    asking = server.dial()
    client = server.connect("/hold")
    client.send_raw(frame("x") * 200)
    server.counted("input_paused")

    server.send_signal()
    assert client.receive_until_end() == Closed(4503, "restarting; reconnect")
    client.close(4503)
    assert isinstance(client.receive(), Lost)
    server.open_gate(asking)

    server.event("draining")
    assert server.event("stopping")["ends"] == [4503], "not 1006, as without an answer"
