"""The board's socket, without a browser: its access checks."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


def socket_of(tms: SeededTMS) -> str:
    return f"ws{tms.url.removeprefix('http')}/ws/board/?page=%2F"


async def cookies(person: Enter) -> str:
    someone = await person()
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await someone.context.cookies())


async def test_the_page_s_own_origin_gets_a_repaint(tms: SeededTMS, person: Enter):
    headers = {"Cookie": await cookies(person)}

    async with connect(socket_of(tms), origin=tms.url, additional_headers=headers) as socket:
        first = json.loads(await socket.recv())

    assert (first["number"], first["kind"]) == (1, "repaint")
    assert 'id="total-online"' in first["html"]


@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1:1", None])
async def test_a_wrong_a_null_and_an_absent_origin_are_refused(tms: SeededTMS, person: Enter, origin: str | None):
    headers = {"Cookie": await cookies(person)}

    with pytest.raises(InvalidStatus) as refusal:
        await connect(socket_of(tms), origin=origin, additional_headers=headers)

    assert refusal.value.response.status_code == 403


async def test_a_client_that_has_not_signed_in_is_refused(tms: SeededTMS):
    with pytest.raises(InvalidStatus) as refusal:
        await connect(socket_of(tms), origin=tms.url)

    assert refusal.value.response.status_code == 403
