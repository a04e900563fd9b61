"""Objects of a request are freed with it."""

import gc

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest

from tests.support.threads import in_thread

pytestmark = pytest.mark.both


class Clients:
    """TMS as a server calls it, for one signed-in person."""

    def __init__(self, cookie: str) -> None:
        self.headers = [(b"host", b"testserver"), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
        self.application = get_asgi_application()

    async def get(self, path: str) -> int:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": self.headers,
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 4711),
            "scheme": "http",
        }
        call = ApplicationCommunicator(self.application, scope)
        await call.send_input({"type": "http.request", "body": b""})
        status = (await call.receive_output())["status"]
        while (await call.receive_output()).get("more_body"):
            pass
        await call.wait()
        return int(status)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/alerts/", "/terminals/", "/metrics", "/rules/"])
async def test_no_request_waits_for_the_garbage_collector(client, fleet, path, transactional_db):
    def arrange() -> str:
        client.force_login(fleet.person())
        return client.session.session_key

    clients = Clients(await in_thread(arrange))
    assert await clients.get(path) == 200  # performs lazy imports
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            await clients.get(path)

        left = [each for each in gc.get_objects() if isinstance(each, ASGIRequest)]
        assert left == []
    finally:
        gc.enable()
