"""Credentials of terminals: issued, verified, revoked; never stored in clear text."""

import hashlib
from datetime import UTC

import pytest
from django.apps import apps
from django.db import connection

from tests.support.builders import AT, later
from tests.support.credentials import find_key
from tms.fleet.credentials import services
from tms.fleet.models import Credential, Presence
from tms.lib.hashing import hash_token
from tms.protocol import credential
from tms.protocol.credential import PlainCredential as Offered


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


def opens(offered: Offered, *, at=AT) -> bool:
    return find_key(offered, at=at) is not None


def everything_stored() -> str:
    """All values in the database, as text."""
    with connection.cursor() as cursor:
        rows = []
        for model in filter(lambda each: each._meta.managed, apps.get_models()):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            rows += cursor.fetchall()
    return repr(rows)


def test_a_new_terminal_is_never_seen_and_its_credential_is_valid(fleet, terminal):
    offered = services.issue(terminal)

    assert terminal.state.presence == Presence.NEVER
    assert opens(offered)
    assert credential.parse(str(offered)) == offered


def test_a_secret_has_256_bits_and_the_database_has_only_its_hash(terminal):
    offered = services.issue(terminal)

    stored = everything_stored()

    assert len(offered.secret) >= 43
    assert offered.secret not in stored
    assert hashlib.sha256(offered.secret.encode()).hexdigest() in stored
    assert offered.secret not in repr(offered)


def test_two_credentials_are_valid_at_once_so_that_a_rotation_disconnects_no_terminal(terminal):
    old, new = services.issue(terminal), services.issue(terminal)

    assert opens(old)
    assert opens(new)


def test_a_credential_expires(terminal):
    offered = services.issue(terminal, expires_at=later(60))

    assert [opens(offered, at=later(seconds)) for seconds in (59, 60, 61)] == [True, False, False]


def test_a_revoked_credential_is_invalid_and_the_other_one_still_valid(terminal):
    old = services.issue(terminal)
    stored = Credential.objects.latest("pk")
    new = services.issue(terminal)

    revoked = services.revoke(Credential.objects.filter(pk=stored.pk), at=AT)
    again = services.revoke(Credential.objects.filter(pk=stored.pk), at=AT)

    assert (revoked, again) == (1, 0)
    assert (opens(old), opens(new)) == (False, True)


def test_an_unknown_uid_and_a_wrong_secret_are_invalid(terminal):
    wrong = Offered(terminal.uid, "s" * 43)
    unknown = Offered("nobody", "s" * 43)

    assert not opens(wrong)
    assert not opens(unknown)


def test_a_key_finds_the_terminal_of_its_device_whatever_uid_it_names(fleet, terminal):
    offered = services.issue(terminal)

    found = find_key(Offered("UID-BEFORE", offered.secret), at=AT)

    assert found is not None
    assert found.identity.uid == terminal.uid


def test_many_keys_are_looked_up_with_one_query(fleet, django_assert_num_queries):
    terminals = [fleet.terminal() for _ in range(3)]
    digests = [hash_token(services.issue(terminal).secret) for terminal in terminals]

    with django_assert_num_queries(1):
        found = services.find([*digests, "0" * 64], at=AT)

    assert [found[digest].identity.terminal_id for digest in digests] == [terminal.pk for terminal in terminals]
    assert len(found) == 3


@pytest.mark.django_db(transaction=True)
def test_a_revocation_is_published_to_processes_with_links(terminal, feed_recorder):
    feed_recorder.changes()
    keys = frozenset(terminal.credentials.values_list("pk", flat=True))

    services.revoke(terminal.credentials.all(), at=AT)
    result = feed_recorder.change()
    services.revoke(terminal.credentials.all(), at=AT)

    assert result.revoked == keys
    assert feed_recorder.changes() == []


def test_revocations_within_a_period_are_found_after_a_missed_message(terminal):
    services.issue(terminal, expires_at=later(30))
    expired = Credential.objects.latest("pk").pk
    revoked = Credential.objects.earliest("pk").pk
    services.revoke(Credential.objects.filter(pk=revoked), at=later(10).astimezone(UTC))

    spans = [services.ended_between(later(a), later(b)) for a, b in ((0, 9), (0, 10), (10, 30), (9, 30), (30, 99))]

    assert spans == [set(), {revoked}, {expired}, {revoked, expired}, set()]
