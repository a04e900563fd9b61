import pytest

from tests.support.link.raw_client import ENDED, TEXT, Closed, frame


@pytest.mark.parametrize("code", [1000, 3000, 4413, 4999])
def test_an_application_closes_with_its_code_and_reason(server, code):
    client = server.connect(f"/close?code={code}")

    assert client.receive() == Closed(code, "why")


@pytest.mark.parametrize("code", [1001, 1012, 2999, 5000])
def test_a_code_that_no_application_may_send_is_an_error(server, code):
    client = server.connect(f"/close?code={code}")

    assert client.receive() == f"close code {code}: an application may send 1000 and 3000 to 4999"


def test_a_connection_closes_with_as_much_of_the_reason_as_fits(server):
    closed = server.connect("/close_directly").receive()

    assert closed == Closed(4000, "é" * 61)


def test_the_clients_code_reaches_the_application(server):
    client = server.connect("/echo")

    client.close(4321)

    assert client.receive_until_end() != ENDED
    assert server.emptied()["ends"] == [4321]


def test_a_client_that_does_not_answer_a_close_is_dropped(serve):
    server = serve(close_timeout=0.3)
    client = server.connect("/close?code=4000")

    assert client.receive() == Closed(4000, "why")

    server.emptied()


def test_crossing_closes_end_without_a_reset(server):
    """A reset discards unread data of the client, or even overtakes the close frame: it would get 1006."""
    client = server.connect("/close?code=4000")
    assert client.receive() == Closed(4000, "why")

    client.close(1000)  # like a client that has not read this yet

    assert client.receive() == ENDED


def test_after_a_bad_frame_the_server_reads_on_until_the_client_has_closed(serve):
    """Closing with unread input would reset the connection, and the reset may overtake the code."""
    server = serve(close_timeout=30)
    client = server.connect("/echo")

    client.send_raw(frame(b"\xff", TEXT))

    assert client.receive().code == 1007
    assert client.receive() == ENDED
    for _ in range(50):
        client.send_raw(frame(b"\xff", TEXT) * 1_000)
    client.vanish()
    server.emptied()


def test_a_client_that_keeps_sending_invalid_data_can_still_read_why_it_was_closed(serve):
    server = serve(close_timeout=30)
    client = server.connect("/echo")

    client.send_raw(frame(b"\xff", TEXT))
    client.fill()
    for _ in range(50):
        client.send_raw(frame(b"\xff", TEXT) * 1_000)

    assert client.receive().code == 1007
    assert client.receive() == ENDED
    client.vanish()
    server.emptied()
