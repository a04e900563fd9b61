"""Who gets which name: an account is never taken for that of another person."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module

import psycopg
import pytest
from django.apps import apps
from django.db import connection, connections

from tests.support import people
from tests.support.accounts.directory import USER, Directory, service_account
from tests.support.factories import now
from tms.accounts.identity_providers import provisioning
from tms.accounts.models import (
    AuditEntry,
    Grant,
    GroupMapping,
    Identity,
    IdentityProvider,
    ProvisionedPerson,
    Team,
    User,
)
from tms.accounts.roles import built_in
from tms.accounts.sign_in.assertion import Assertion, SignInRefused

pytestmark = [pytest.mark.both, pytest.mark.django_db]
BOSS = "boss@corp.example"
MALLORY = Assertion(issuer="https://login.example", subject="mallory", email=BOSS)


@pytest.fixture
def directory(db) -> Directory:
    return Directory(service_account())


def sign_in(provider, asserted: Assertion = MALLORY) -> User:
    return provisioning.identify(provider, asserted, at=now()).person


UNVERIFIED = {
    "an address that nobody verified": {},
    "an address that is none of its domains": {"is_email_verified": True},
    "an address as the chosen name": {"email": "", "username": BOSS},
    "an address in full-width letters": {"email": "", "username": "boss\uff20corp.example"},
    "an address with an invisible character": {"email": "", "username": "boss@\u200dcorp.example"},
    "a subject that is an address": {"email": "", "subject": BOSS},
}


@pytest.mark.parametrize("claims", UNVERIFIED.values(), ids=UNVERIFIED)
def test_no_account_is_named_by_an_unverified_address(provider, claims):
    person = sign_in(provider, replace(MALLORY, **claims))

    assert person.username.startswith("company-")
    assert (person.email, person.is_name_verified) == ("", False)


def test_an_account_is_named_by_a_verified_address_of_the_domains_of_the_provider(provider):
    provider.email_domains = "corp.example"

    person = sign_in(provider, replace(MALLORY, is_email_verified=True))

    assert (person.username, person.email, person.is_name_verified) == (BOSS, BOSS, True)


@pytest.fixture
def former(provider) -> User:
    """An account that an earlier release named by an address that nobody verified."""
    person = User.objects.create(username=BOSS, email=BOSS, is_name_verified=False)
    Identity.objects.create(
        provider=provider, person=person, issuer=MALLORY.issuer, subject="mallory", is_provisioned=True
    )
    return person


@pytest.mark.parametrize("name", [BOSS, "chief"])
def test_the_directory_adopts_no_account_that_a_provider_named(provider, former, directory, name):
    User.objects.filter(pk=former.pk).update(username=name)
    team = directory.create_group("Leads")
    [found] = directory.get("Users", filter=f'userName eq "{name}"').json()["Resources"]

    adopt = directory.patch(f"Users/{found['id']}", {"op": "add", "path": "externalId", "value": "e-1"})
    join = directory.patch(f"Groups/{team}", {"op": "add", "path": "members", "value": [{"value": found["id"]}]})

    assert (adopt.status_code, join.status_code) == (409, 409)
    assert "nobody verified" in adopt.json()["detail"]
    assert not former.teams.exists()


def test_teams_and_grants_by_hand_wait_until_the_name_is_confirmed(provider, former):
    boss, team = people.make_superuser(people.person("root")), Team.objects.create(name="Leads")
    browser = people.signed_in(boss)
    grant = {"role": built_in("Viewer").pk, "scope": "everything"}

    refused = [
        browser.post(f"/people/{former.pk}/grants/", grant),
        browser.post(f"/people/teams/{team.pk}/members/", {"person": former.pk}),
    ]
    before = (former.grants.count(), former.teams.count())
    asked = browser.get(f"/people/{former.pk}/confirm-name/").content.decode()
    browser.post(f"/people/{former.pk}/confirm-name/")
    browser.post(f"/people/{former.pk}/grants/", grant)
    browser.post(f"/people/teams/{team.pk}/members/", {"person": former.pk})

    assert all("Nobody verified" in answer.content.decode() for answer in refused)
    assert before == (0, 0)
    assert "mallory (Company account)" in asked
    assert (former.grants.count(), former.teams.count()) == (1, 1)
    assert AuditEntry.objects.get(action="name-confirmed").subject_name == BOSS
    assert sign_in(provider, replace(MALLORY, email="mallory@corp.example")).email == BOSS


def test_groups_of_the_provider_itself_give_grants_all_the_same(provider, former):
    GroupMapping.objects.create(provider=provider, value="noc", role=built_in("Viewer"))

    sign_in(provider, replace(MALLORY, groups=frozenset({"noc"})))

    assert Grant.objects.get().person == former


def test_an_invitation_goes_to_no_account_that_a_provider_named(provider, former):
    browser = people.signed_in(people.make_superuser(people.person("root")))
    grant = {"grant-0-role": built_in("Viewer").pk, "grant-0-scope": "everything"}

    answer = browser.post("/people/invite/", {"email": "Boss@corp.example", "language": "en", **grant})

    assert answer.status_code == 422
    assert not former.grants.exists()


def test_the_name_counts_as_verified_when_the_provider_verifies_it(provider, former):
    provider.email_domains = "corp.example"

    sign_in(provider, replace(MALLORY, is_email_verified=True))

    former.refresh_from_db()
    assert former.is_name_verified


def test_an_address_links_no_account_that_another_provider_named(provider, former):
    """A person there could have named any address, and waited until its owner signs in here."""
    other = IdentityProvider(name="Other", slug="other", issuer="https://o.example", client_id="tms")
    other.links_by_email, other.email_domains = True, "corp.example"
    other.save()

    with pytest.raises(SignInRefused) as refused:
        sign_in(other, Assertion(issuer=other.issuer, subject="1", email=BOSS, is_email_verified=True))

    assert refused.value.code == "unknown-person"


IN_USE = {
    "the address of another": {"email": "bob@noc.example"},
    "the same in capitals": {"email": "BOB@noc.example"},
    "the username of another": {"email": "carol@noc.example"},
}


@pytest.mark.parametrize("claims", IN_USE.values(), ids=IN_USE)
@pytest.mark.parametrize("is_verified", [True, False])
def test_an_address_in_use_is_not_taken_over_at_a_later_sign_in(provider, claims, is_verified):
    provider.email_domains = "noc.example"
    first = sign_in(provider, replace(MALLORY, email="mallory@noc.example", is_email_verified=True))
    people.person("bob", email="bob@noc.example")
    people.person("carol@noc.example")
    provider.email_domains = "noc.example" if is_verified else ""

    sign_in(provider, replace(MALLORY, is_email_verified=is_verified, last_name="Renamed", **claims))

    first.refresh_from_db()
    assert (first.email, first.last_name) == ("mallory@noc.example", "Renamed")


LOOKALIKES = {
    "capitals": "KEIKO",
    "full-width letters": "\uff4beiko",
    "a Kelvin sign": "\u212aeiko",
    "a Cyrillic letter": "k\u0435iko",
    "a Cyrillic capital": "\u041aEIKO",
    "a dotless i": "ke\u0131ko",
    "a Greek letter": "keik\u03bf",
    "an invisible character": "kei\u200bko",
    "the address of another": "mori@noc.example",
}


@pytest.mark.parametrize("name", LOOKALIKES.values(), ids=LOOKALIKES)
def test_no_account_gets_a_name_that_looks_like_that_of_another(provider, name, directory):
    people.person("keiko")
    people.person("mori", email="mori@noc.example")
    people.person("m\u043eri2")  # an ASCII name may not look like an existing one of other letters, either

    for wanted in (name, "mori2"):
        made = directory.send("POST", "Users", {"schemas": [USER], "userName": wanted})
        assert made.status_code == 409
        if "@" not in wanted:
            with pytest.raises(SignInRefused) as refused:
                sign_in(provider, replace(MALLORY, email="", username=wanted))
            assert refused.value.code in ("taken", "bad-name")
    assert User.objects.count() == 3 + len(("service account", "its administrator"))


def test_names_of_ascii_letters_that_look_alike_in_some_fonts_stay_different(provider):
    people.person("user1")

    assert sign_in(provider, replace(MALLORY, email="", username="userl")).username == "userl"


SAME = {"as it is": "keiko", "capitals": "Keiko", "full-width letters": "\uff4b\uff45\uff49\uff4b\uff4f"}


@pytest.mark.parametrize("typed", SAME.values(), ids=SAME)
def test_a_name_is_found_by_its_normal_form(client, directory, typed):
    people.person("keiko", password="watch-the-7-gates")

    client.post("/sign-in/", {"username": typed, "password": "watch-the-7-gates"})
    found = directory.get("Users", filter=f'userName eq "{typed}"').json()

    assert "_auth_user_id" in client.session
    assert found["totalResults"] == 1


@pytest.mark.parametrize("typed", ["ke\u0131ko", "k\u0435iko"])
def test_a_name_that_looks_like_another_is_not_found(client, directory, typed):
    people.person("keiko", password="watch-the-7-gates")

    client.post("/sign-in/", {"username": typed, "password": "watch-the-7-gates"})
    found = directory.get("Users", filter=f'userName eq "{typed}"').json()

    assert "_auth_user_id" not in client.session
    assert found["totalResults"] == 0


def test_an_update_finds_the_accounts_that_a_provider_named(provider):
    """By no domain of its own, unless the directory manages them."""
    IdentityProvider.objects.update(email_domains="noc.example, x")
    for name, is_provisioned in (
        (BOSS, True),
        ("mori@NOC.example", True),
        ("linked@corp.example", False),
        ("a@b", True),
    ):
        made = User.objects.create(username=name)
        Identity.objects.create(provider=provider, person=made, subject=name, is_provisioned=is_provisioned)
    ProvisionedPerson.objects.create(person=made, created_at=now(), changed_at=now())

    import_module("tms.accounts.migrations.0025_verified_names").find_unverified(apps, None)

    assert list(User.objects.filter(is_name_verified=False).values_list("username", flat=True)) == [BOSS]


@pytest.fixture
def unicode_locale(db) -> Iterator[str]:
    """The alias of a database in which `ı` and `i` are one letter, with the table of people."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite folds ASCII only")
    found = connection.copy("unicode_locale")
    found.settings_dict = found.settings_dict | {"NAME": "unicode_locale", "OPTIONS": {}}
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS unicode_locale")
        admin.execute("CREATE DATABASE unicode_locale TEMPLATE template0 LOCALE 'C.UTF-8'")
        connections[found.alias] = found
        try:
            with found.schema_editor() as editor:
                editor.create_model(User)
                editor.deferred_sql.clear()  # the tables that it refers to are missing
            yield found.alias
        finally:
            found.close()
            del connections[found.alias]
            admin.execute("DROP DATABASE unicode_locale")


def test_the_locale_of_the_database_does_not_decide(unicode_locale):
    people_there = User.objects.db_manager(unicode_locale)
    people_there.create(username="admin", email="admin@noc.example")
    like_it = "adm\u0131n@noc.example"

    assert people_there.filter(email__iexact=like_it).exists()
    assert people_there.keys_of(like_it, column="email") == []
    assert people_there.is_taken(like_it)
    with pytest.raises(User.DoesNotExist):
        people_there.get_by_natural_key("adm\u0131n")
