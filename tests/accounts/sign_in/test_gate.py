"""The rate at which sign-in forms reach Django."""

import asyncio

import pytest

from tms.accounts.sign_in import device, gate
from tms.accounts.sign_in.gate import BURST, TOTAL_BURST, SignInGate

DEVICE = device.KnownDevice("a-device", ("a-name",))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(gate, "DELAY_S", 0)


@pytest.fixture
def room_for_others(monkeypatch):
    monkeypatch.setattr(gate, "TOTAL_BURST", BURST + 10)


@pytest.fixture
def passed():
    return []


@pytest.fixture
def ask(passed):
    """Send a request through the gate; returns the status, or None when it passed."""

    async def application(scope, receive, send):
        passed.append(scope)

    the_gate = SignInGate(application, address_of=lambda scope: scope["client"][0], now=lambda: 0.0)

    async def send_one(address="198.51.100.7", *, method="POST", path="/sign-in/", headers=()):
        sent = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "client": (address, 1),
            "headers": list(headers),
            "query_string": b"",
        }

        async def send(message):
            sent.append(message)

        await the_gate(scope, None, send)
        return sent or None

    return send_one


async def test_a_flood_from_one_address_is_answered_before_django(ask, passed):
    answers = [await ask() for _ in range(BURST + 20)]

    refused = [answer for answer in answers if answer]
    headers = dict(refused[0][0]["headers"])
    assert (len(passed), len(refused)) == (BURST, 20)
    assert refused[0][0]["status"] == 429
    assert 1 <= int(headers[b"retry-after"]) <= 60
    assert "Too many sign-in requests." in refused[0][1]["body"].decode()


async def test_other_pages_and_other_addresses_pass(room_for_others, ask, passed):
    for _ in range(BURST + 1):
        await ask("2001:db8:1:2::1")

    assert await ask("2001:db8:1:2::ffff") is not None
    assert await ask("2001:db8:1:3::1") is None
    assert await ask("2001:db8:1:2::1", method="GET") is None
    assert await ask("2001:db8:1:2::1", path="/") is None
    assert await ask("2001:db8:1:2::1", path="/sign-in/code/") is not None


async def test_a_distributed_flood_does_not_block_known_devices(ask, settings, monkeypatch):
    monkeypatch.setattr(device, "of", lambda cookies: DEVICE if cookies.get("tms_device") else None)
    for number in range(TOTAL_BURST + 1):
        await ask(f"2001:db8:0:{number:x}::1")

    assert await ask("198.51.100.9") is not None
    assert await ask("198.51.100.9", headers=[(b"cookie", b"tms_device=x")]) is None


async def test_the_answer_is_in_the_visitors_language(ask):
    for _ in range(BURST):
        await ask()

    _, body = await ask(headers=[(b"accept-language", b"ja")])

    assert "サインイン" in body["body"].decode()


async def test_refusals_are_delayed_but_only_a_limited_number_waits(ask, monkeypatch):
    slept = []
    monkeypatch.setattr(gate, "MAX_DELAYED", 3)

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio.Event().wait()

    for _ in range(BURST):
        await ask()
    monkeypatch.setattr(gate.asyncio, "sleep", sleep)
    waiting = [asyncio.ensure_future(ask()) for _ in range(3)]
    await asyncio.wait(waiting, timeout=0)
    while len(slept) < 3:
        await asyncio.wait(waiting, timeout=0)

    assert await ask() is not None
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
