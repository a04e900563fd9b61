import inspect

import pytest

import asgi
from consumers.not_found import nowhere
from consumers.routing import websockets
from consumers.terminal import discard_handshake


async def called(scope, application):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return sent


def test_servers_recognise_an_asgi_3_application():
    assert inspect.iscoroutinefunction(asgi.application)


async def test_a_server_that_tries_another_type_of_scope_gets_an_error():
    with pytest.raises(ValueError, match="lifespan"):
        await called({"type": "lifespan"}, asgi.application)


async def test_an_unknown_path_is_answered_with_404():
    scope = {"type": "websocket", "path": "/ws/other/", "headers": []}

    sent = await called(scope, asgi.application)

    assert sent[0]["status"] == 404


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
async def test_a_nul_in_the_session_cookie_is_no_sign_in(settings):
    """The U+0000 is in the octal notation of cookies."""
    cookie = rf'{settings.SESSION_COOKIE_NAME}="\000aaaaaaaa"'
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie.encode())]
    scope = {"type": "websocket", "path": "/ws/board/", "query_string": b"page=/", "client": ("10.0.0.7", 5000)}

    sent = await called(scope | {"headers": headers}, asgi.application)

    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    ("path", "is_known"),
    [("/ws/terminal/", True), ("/ws/board/", True), ("ws/terminal/", True), ("/ws/", False)],
)
def test_a_path_leads_to_its_consumer(path, is_known):
    route = next(route for route in websockets.routes if route.pattern.match(path.lstrip("/")))

    assert (route.callback is not nowhere) is is_known


def test_an_admitted_terminal_leaves_no_credential_in_memory():
    scope = {"type": "websocket", "path": "/ws/terminal/", "headers": [(b"authorization", b"Bearer t.s")]}
    scope["subprotocols"] = ["tms.v1", "bearer.t.s"]

    discard_handshake(scope)

    assert scope == {"type": "websocket", "path": "/ws/terminal/"}
