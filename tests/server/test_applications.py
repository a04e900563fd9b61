import ast
import json

import pytest

from tests.support.link.raw_client import Closed, Lost


def test_the_scope_has_the_path_and_the_clients_address(server):
    client = server.connect("/scope_seen", headers=["Sec-WebSocket-Protocol: a, b"])

    scope = json.loads(client.receive())
    assert scope["path"] == "/scope_seen"
    assert scope["client"] == list(client.socket.getsockname())
    assert scope["subprotocols"] == ["a", "b"]


def test_a_client_cannot_change_the_root_path_of_the_application(server):
    client = server.connect("/scope_seen", headers=["Daphne-Root-Path: /elsewhere"])

    assert json.loads(client.receive())["root_path"] == ""


def test_an_http_request_reaches_the_same_application(server):
    scope = ast.literal_eval(server.get("/scope?a=b").decode())

    assert (scope["type"], scope["method"], scope["path"], scope["query_string"]) == ("http", "GET", "/scope", b"a=b")
    assert scope["client"][0] == "127.0.0.1"


def test_an_application_that_returns_closes_its_socket_with_1011(server):
    assert server.connect("/end").receive() == Closed(1011)


def test_an_application_that_fails_closes_its_socket_with_1011_and_is_logged(server):
    server.may_fail = True

    assert server.connect("/fail").receive() == Closed(1011)
    assert "Exception inside application: boom" in server.log


def test_an_application_that_fails_within_its_response_closes_the_connection(server):
    server.may_fail = True
    client = server.dial(b"GET /half HTTP/1.1\r\nHost: server\r\n\r\n")

    client.read_head()
    assert client.read(4) == b"half"
    with pytest.raises(EOFError):
        client.read(1)
    assert "RuntimeError: boom" in server.log


def test_an_application_that_fails_before_its_response_answers_500(server):
    server.may_fail = True
    client = server.dial(b"GET /fail HTTP/1.1\r\nHost: server\r\n\r\n")

    client.read_head()

    assert client.status == 500


def test_an_internal_error_of_the_server_closes_the_connection_and_is_logged(server):
    server.may_fail = True
    client = server.connect("/sabotage")

    client.send("x")

    assert isinstance(client.receive(), Lost)
    assert "'NoneType' object is not callable" in server.log
    assert server.emptied()["ends"] == [1006]


def test_an_application_that_continues_after_its_socket_is_cancelled(serve):
    server = serve(linger=0.1)
    client = server.connect("/stay")

    client.vanish()

    assert server.emptied()["running"] == 0
    assert "did not end after its connection" in server.log


def test_a_consumer_of_channels_works(server):
    client = server.connect("/consumer")

    client.send("a")

    assert client.receive() == "a!"
    client.close()
    server.emptied()
