"""Which handshakes are accepted. The handshake on a socket is tested in tests/link."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from tests.support.polling import wait_for_value_async
from tests.support.threads import in_thread
from tms.fleet.credentials import services
from tms.fleet.enrolment import refusals
from tms.fleet.models import Credential, TerminalState
from tms.ingest import admission as module
from tms.ingest.admission import Admission, find_keys, offered_credential
from tms.ingest.links import Links

pytestmark = pytest.mark.both

SECRET = "s" * 43
GOOD = f"SJK-1.{SECRET}"

OFFERS = [
    # Authorization, subprotocols, the accepted credential
    (f"Bearer {GOOD}", ["tms.v1"], GOOD),
    (f"bearer {GOOD}", ["tms.v1"], GOOD),
    (f"Bearer  {GOOD} ", ["tms.v1"], GOOD),
    (None, ["tms.v1", f"bearer.{GOOD}"], GOOD),
    (None, [f"bearer.{GOOD}", "tms.v1"], GOOD),
    ("Bearer nonsense", ["tms.v1", f"bearer.{GOOD}"], None),
    (f"Basic {GOOD}", ["tms.v1"], None),
    (f"Bearer{GOOD}", ["tms.v1"], None),
    ("", ["tms.v1"], None),
    (None, ["tms.v1"], None),
    (None, [], None),
    (None, ["bearer.", "bearer.x.y"], None),
    (f"Bearer {GOOD}\xff", ["tms.v1"], None),
    (f"Bearer .{SECRET}", ["tms.v1"], None),
    ("Bearer SJK-1." + "s" * 42, ["tms.v1"], None),
    ("Bearer SJK-1." + "s" * 129, ["tms.v1"], None),
]


@pytest.mark.parametrize(("header", "subprotocols", "taken"), OFFERS)
def test_a_credential_is_read_from_the_header_or_from_a_subprotocol(header, subprotocols, taken):
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]

    offered = offered_credential(headers, subprotocols)

    assert (str(offered) if offered else None) == taken


@pytest.fixture
def links() -> Links:
    return Links()


@pytest_asyncio.fixture
async def admission(links):
    admission = Admission(links)
    yield admission
    await admission.stop()


def scope(offered: object, *, subprotocols: tuple[str, ...] = ("tms.v1",)) -> dict[str, Any]:
    headers = [(b"authorization", f"Bearer {offered}".encode())]
    return {"headers": headers, "subprotocols": list(subprotocols)}


@pytest.mark.django_db(transaction=True)
class TestDecision:
    async def test_a_valid_credential_is_accepted_for_its_terminal(self, fleet, admission):
        terminal = await in_thread(fleet.terminal)
        offered = await in_thread(services.issue, terminal)

        key = await admission.decide(scope(offered))

        assert (key.identity.terminal_id, key.identity.uid) == (terminal.pk, terminal.uid)

    async def test_both_credentials_of_a_rotation_are_accepted(self, fleet, admission):
        terminal = await in_thread(fleet.terminal)
        offered = [await in_thread(services.issue, terminal) for _ in range(2)]

        keys = [await admission.decide(scope(each)) for each in offered]

        assert [key.identity.uid for key in keys] == [terminal.uid] * 2

    async def test_an_unknown_uid_and_a_wrong_secret_get_the_same_answer(self, fleet, admission):
        terminal = await in_thread(fleet.terminal)

        unknown = await admission.decide(scope(f"nobody.{SECRET}"))
        wrong = await admission.decide(scope(f"{terminal.uid}.{SECRET}"))

        assert unknown == wrong
        assert (wrong.status, wrong.type) == (401, "tms:unauthorised")

    async def test_who_waits_for_a_first_connection_learns_of_a_wrong_key(self, fleet, admission, monkeypatch):
        monkeypatch.setattr(module, "NOTE_EVERY_S", 0)
        [new], seen = await in_thread(fleet.terminals, 1), await in_thread(fleet.terminal)
        await in_thread(lambda: TerminalState.objects.filter(pk=seen.pk).update(presence="online"))

        for terminal in (seen, new):
            await admission.decide(scope(f"{terminal.uid}.{SECRET}"), address="10.2.3.4")
        await wait_for_value_async(lambda: len(refusals.of_terminal(new)), 1)

        [refusal] = refusals.of_terminal(new)
        assert (refusal.reason, refusal.address) == ("key", "10.2.3.4")
        assert refusals.of_terminal(seen) == []

    @pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
    async def test_an_expired_credential_is_refused(self, fleet, admission, end):
        terminal = await in_thread(fleet.terminal)
        offered = await in_thread(services.issue, terminal)
        ended = {end: datetime.now(UTC) - timedelta(seconds=1)}
        await in_thread(lambda: Credential.objects.filter(terminal=terminal).update(**ended))

        assert (await admission.decide(scope(offered))).status == 401

    async def test_without_the_subprotocol_a_handshake_is_refused(self, admission):
        refusal = await admission.decide(scope(GOOD, subprotocols=("chat",)))

        assert (refusal.status, "tms.v1" in refusal.message) == (400, True)

    async def test_a_draining_node_refuses_handshakes(self, admission):
        admission.is_draining = True

        refusal = await admission.decide(scope(GOOD))

        assert refusal.status == 503
        assert dict(refusal.headers)[b"retry-after"] == b"5"

    async def test_a_banned_terminal_gets_the_remaining_time(self, fleet, links, admission):
        terminal = await in_thread(fleet.terminal)
        offered = await in_thread(services.issue, terminal)
        links.bans.read([(terminal.pk, 300.0)], at=asyncio.get_running_loop().time())

        refusal = await admission.decide(scope(offered))

        assert (refusal.status, refusal.type) == (429, "tms:too-fast")
        assert 290 < int(dict(refusal.headers)[b"retry-after"]) <= 300

    async def test_concurrent_handshakes_share_one_query_and_each_gets_its_own_answer(self, fleet, admission):
        terminals = [await in_thread(fleet.terminal) for _ in range(3)]
        offered = [await in_thread(services.issue, terminal) for terminal in terminals]
        wrong = f"{terminals[0].uid}.{SECRET}"

        answers = await asyncio.gather(*(admission.decide(scope(each)) for each in (*offered, offered[0], wrong)))

        assert [key.identity.uid for key in answers[:4]] == [t.uid for t in (*terminals, terminals[0])]
        assert answers[4].status == 401


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
async def test_an_idle_connection_that_was_cut_causes_no_refusal(fleet, links):
    terminal = await in_thread(fleet.terminal)
    offered = await in_thread(services.issue, terminal)
    backends = []

    def find(uids):
        found = find_keys(uids)
        backends.append(connection.connection.info.backend_pid)
        return found

    admission = Admission(links, find)
    await admission.decide(scope(offered))
    await in_thread(cut, backends[0])

    key = await admission.decide(scope(offered))

    await admission.stop()
    assert key.identity.uid == terminal.uid
    assert backends[1] != backends[0]


def cut(backend: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed"), DatabaseError("?"), KeyError()])
async def test_an_unavailable_database_refuses_handshakes_for_a_while(links, error):
    def find(uids):
        raise error

    admission = Admission(links, find)
    try:
        refusals = await asyncio.gather(*(admission.decide(scope(f"T-{n}.{SECRET}")) for n in range(3)))
    finally:
        await admission.stop()

    assert [refusal.status for refusal in refusals] == [503] * 3


async def test_an_abandoned_handshake_does_not_affect_the_others(links):
    admission = Admission(links, lambda uids: {})
    try:
        given_up = asyncio.ensure_future(admission.decide(scope(GOOD)))
        other = asyncio.ensure_future(admission.decide(scope(GOOD)))
        await asyncio.sleep(0)
        given_up.cancel()

        assert (await other).status == 401
    finally:
        await admission.stop()
