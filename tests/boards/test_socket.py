"""A board's socket on a running TMS: origin, sign-in and sign-out, and a report that changes a board."""

import asyncio
import contextlib
import json
import re
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for_value_async
from tests.support.servers.tms import RunningTMS

pytestmark = pytest.mark.both

PASSWORD = "a password for tests"
CREATE_ROWS = """
import sys, django
django.setup()
from tms.accounts.models import User
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
User.objects.create_superuser("tanaka", password=sys.argv[1])
site = Site.objects.create(code="SJK", name="Shinjuku South")
print(credentials.enrol(Terminal(uid="SJK-GTE-01", site=site)))
"""


@pytest.fixture(scope="module")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_BOARDS_PER_PERSON="3") as running:
        yield running


@pytest.fixture(scope="module")
def credential(tms: RunningTMS) -> str:
    """Create a person and a terminal, and return the credential of the terminal."""
    return tms.run_code(CREATE_ROWS, PASSWORD).strip()


class Browser:
    """Signs in and out like a browser, and opens boards with its cookies."""

    def __init__(self, tms: RunningTMS) -> None:
        self.tms = tms
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        with self._opener.open(self.tms.url + path, timeout=DEADLINE_S) as answer:
            return str(answer.read().decode())

    def post(self, path: str, page: str, **fields: str) -> None:
        """Submits a form on `page`."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get(page))
        assert token is not None
        data = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        request = urllib.request.Request(self.tms.url + path, data, {"Referer": self.tms.url + page})
        self._opener.open(request, timeout=DEADLINE_S).close()

    def sign_in(self) -> None:
        self.post("/sign-in/", "/sign-in/", username="tanaka", password=PASSWORD)

    def board(self, page: str, *, origin: str | None = "") -> Any:
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        url = self.tms.url.replace("http:", "ws:") + "/ws/board/?" + urlencode({"page": page})
        headers = {"Cookie": cookie}
        return connect(
            url,
            origin=self.tms.url if origin == "" else origin,
            additional_headers=headers,
            compression=None,
            open_timeout=DEADLINE_S,
        )


@pytest.fixture
def browser(tms: RunningTMS, credential: str) -> Browser:
    return Browser(tms)


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in()
    return browser


async def refusal(opening: Any) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with opening:
            pass
    return refused.value.response.status_code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_a_page_of_another_origin_gets_no_board(signed_in, origin):
    assert await refusal(signed_in.board("/", origin=origin)) in (400, 403)


async def test_an_anonymous_client_gets_no_board(browser):
    assert await refusal(browser.board("/")) == 403


async def test_an_unknown_page_is_refused(signed_in):
    assert await refusal(signed_in.board("/nowhere/")) == 403


async def test_a_board_above_the_limit_of_a_person_is_refused(tms, signed_in):
    await wait_for_value_async(lambda: "\ntms_boards 0.0" in tms.get("/metrics")[1], expected=True)
    async with asyncio.timeout(DEADLINE_S), contextlib.AsyncExitStack() as boards:
        for _ in range(3):
            await boards.enter_async_context(signed_in.board("/"))

        assert await refusal(signed_in.board("/")) == 503


async def test_a_report_is_on_the_board_soon_after_its_acknowledgement(tms, signed_in, credential):
    async with asyncio.timeout(DEADLINE_S), signed_in.board("/terminals/") as board:
        terminal = await Terminal.connect(tms.link, credential)
        await terminal.boot()
        await terminal.report(1, status="fault", metrics={"temperature_c": 61.2})

        frame = json.loads(await board.recv())
        while "61 °C" not in frame["html"]:
            frame = json.loads(await board.recv())
        await terminal.socket.close()

    assert 'data-presence="online" data-status="fault"' in frame["html"]


async def test_signing_out_closes_the_board_with_4401(signed_in):
    async with asyncio.timeout(DEADLINE_S), signed_in.board("/") as board:
        await board.recv()

        await asyncio.to_thread(signed_in.post, "/sign-out/", "/")

        await board.wait_closed()

    assert board.close_code == 4401
