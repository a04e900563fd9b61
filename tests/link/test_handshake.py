"""Which handshakes are accepted, decided before the upgrade."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.support.link.terminal import Terminal

pytestmark = [pytest.mark.both, pytest.mark.embedded]

SECRET = "x" * 43


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 401, "tms:unauthorised"),
        ({"Authorization": "Bearer nonsense"}, 401, "tms:unauthorised"),
        ({"Authorization": f"Bearer nobody.{SECRET}"}, 401, "tms:unauthorised"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401, "tms:unauthorised"),
        ({"Cookie": "tms_session=anything"}, 401, "tms:unauthorised"),
    ],
)
async def test_a_bad_credential_is_refused_before_the_upgrade(tms, headers, status, kind):
    with pytest.raises(InvalidStatus) as refused:
        await connect(tms.link, subprotocols=[Subprotocol("tms.v1")], additional_headers=headers)

    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body)["type"] == kind
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tms"'


@pytest.mark.parametrize("path", ["/ws/nope", "/ws/terminal", "/ws/", "/", "/ws/terminal/more", "/" + "x" * 3_000])
async def test_a_path_that_is_no_websocket_is_answered_with_404_and_one_log_line(tms, path):
    message = len(tms.log.read_text().splitlines())

    with pytest.raises(InvalidStatus) as refused:
        await connect(tms.link.replace("/ws/terminal/", path), subprotocols=[Subprotocol("tms.v1")])

    lines = tms.log.read_text().splitlines()[message:]
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["type"] == "tms:not-found"
    assert [line for line in lines if "Traceback" in line or "ERROR" in line] == []
    assert len([line for line in lines if "no_such_websocket" in line]) == 1
    assert max(map(len, lines)) < 1_000


async def test_a_wrong_secret_of_a_known_terminal_looks_like_an_unknown_one(tms, enrol):
    uid = enrol().partition(".")[0]

    with pytest.raises(InvalidStatus) as refused:
        await Terminal.connect(tms.link, f"{uid}.{SECRET}")

    assert refused.value.response.status_code == 401


async def test_a_client_without_the_subprotocol_gets_the_expected_one(tms, enrol):
    with pytest.raises(InvalidStatus) as refused:
        await connect(tms.link, additional_headers={"Authorization": f"Bearer {enrol()}"})

    assert refused.value.response.status_code == 400
    assert "tms.v1" in refused.value.response.body.decode()


async def test_a_client_that_cannot_set_headers_sends_its_credential_as_a_subprotocol(tms, enrol):
    offered = [Subprotocol("tms.v1"), Subprotocol(f"bearer.{enrol()}")]

    async with connect(tms.link, subprotocols=offered) as socket:
        assert socket.subprotocol == "tms.v1"


async def test_a_credential_in_the_url_is_ignored(tms, enrol):
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{tms.link}?token={enrol()}", subprotocols=[Subprotocol("tms.v1")])

    assert refused.value.response.status_code == 401


async def test_neither_database_nor_log_holds_a_secret(tms, enrol):
    credential = enrol()
    secret = credential.partition(".")[2]
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

    stored = [row for (row,) in tms.query("SELECT digest FROM fleet_credential")]

    assert secret not in stored
    assert secret not in tms.log.read_text()
