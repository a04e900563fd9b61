import pytest

from tests.support.link.raw_client import upgrade


@pytest.mark.parametrize("status", [401, 503])
def test_a_denial_carries_status_headers_and_body_before_the_upgrade(server, status):
    client = server.connect(f"/deny?status={status}")

    assert client.status == status
    assert client.headers["retry-after"] == "7"
    assert client.headers["www-authenticate"] == "Bearer"
    assert client.headers["content-length"] == "14"
    assert client.read_body() == b'{"error":"no"}'
    server.emptied()


def test_a_close_before_the_accept_denies_with_403(server):
    client = server.connect("/reject")

    assert client.status == 403
    assert server.emptied()["ends"] == [1006]


def test_a_header_cannot_start_another_one(server):
    server.may_fail = True

    client = server.connect("/smuggle")

    assert client.status == 500
    assert "x-other" not in client.headers
    assert "control character in header 'x-tms'" in server.log


def test_an_offered_subprotocol_is_chosen(server):
    client = server.connect("/echo?subprotocol=b", headers=["Sec-WebSocket-Protocol: a, b"])

    assert client.status == 101
    assert client.headers["sec-websocket-protocol"] == "b"


def test_without_a_choice_of_the_application_there_is_no_subprotocol(server):
    client = server.connect("/echo", headers=["Sec-WebSocket-Protocol: a, b"])

    assert client.status == 101
    assert "sec-websocket-protocol" not in client.headers


def test_a_subprotocol_that_was_not_offered_is_an_error_of_the_application(server):
    server.may_fail = True

    client = server.connect("/echo?subprotocol=c", headers=["Sec-WebSocket-Protocol: a, b"])

    assert client.status == 500
    assert "subprotocol 'c' was not offered" in server.log


def test_a_subprotocol_beyond_ascii_is_a_bad_request(server):
    assert server.connect("/echo", headers=["Sec-WebSocket-Protocol: \xe9"]).status == 400
    server.emptied()


def test_headers_are_sent_with_the_accept(server):
    client = server.connect("/echo")

    assert client.headers["x-tms"] == "1, 2"


def test_handshakes_that_the_application_does_not_answer_in_time_are_refused_and_not_reset(serve):
    """A proxy makes 502 of a reset, and does not try another node."""
    server = serve(handshake_timeout=0.5, linger=0.1)

    waiting = [server.dial(upgrade("/hang")) for _ in range(50)]
    for client in waiting:
        client.read_head()

    assert {(client.status, client.headers["retry-after"]) for client in waiting} == {(503, "10")}
    assert server.emptied()["counters"]["refused_slow"] == 50


def test_a_client_that_closes_during_its_handshake_is_dropped(server):
    client = server.dial(upgrade("/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)

    client.reset()
    server.wait_for(lambda facts: facts["inside"] == 1)
    server.open_gate()

    assert server.emptied()["handshaking"] == 0


def test_an_application_that_fails_during_the_handshake_denies_with_500(server):
    server.may_fail = True

    assert server.connect("/fail_early").status == 500
    server.emptied()
    assert "RuntimeError: boom" in server.log


def test_an_application_that_sends_before_it_accepts_gets_an_error(server):
    server.may_fail = True

    assert server.connect("/send_early").status == 500
    assert "websocket.send before websocket.accept" in server.log
