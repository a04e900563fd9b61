"""Which person signs in, and which grants they hold then, for what a provider asserts."""

from dataclasses import replace

import pytest

from tests.support import people
from tests.support.factories import now
from tms.accounts.identity_providers import groups, provisioning
from tms.accounts.models import AuditEntry, Grant, GroupMapping, Identity, User
from tms.accounts.roles import built_in
from tms.accounts.sign_in.assertion import Assertion, SignInRefused

pytestmark = [pytest.mark.both, pytest.mark.django_db]
KEIKO = Assertion(
    issuer="https://login.example",
    subject="keiko",
    email="keiko@noc.example",
    is_email_verified=True,
    first_name="Keiko",
    last_name="Mori",
)


def sign_in(provider, asserted: Assertion = KEIKO) -> User:
    return provisioning.identify(provider, asserted, at=now()).person


def test_a_person_is_created_once_and_follows_the_provider(provider):
    provider.email_domains = "noc.example"
    first = sign_in(provider)
    second = sign_in(provider, replace(KEIKO, last_name="Tanaka", email="tanaka@noc.example"))

    assert (first.pk, first.username, first.has_usable_password()) == (second.pk, "keiko@noc.example", False)
    assert (second.get_full_name(), second.email) == ("Keiko Tanaka", "tanaka@noc.example")
    entries = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(entries) == ["created", "identity-linked", "changed"]


def test_an_existing_person_is_linked_by_a_verified_address_and_stays_as_they_are(provider):
    provider.links_by_email, provider.email_domains = True, "noc.example"
    keiko = people.person("keiko", email="Keiko@noc.example")

    person = sign_in(provider)
    provider.email_domains = ""

    assert (person.pk, person.first_name) == (keiko.pk, "")
    assert sign_in(provider, replace(KEIKO, email="", is_email_verified=False)).pk == keiko.pk


LINKS = {"links_by_email": True, "email_domains": "noc.example"}
REFUSED = {
    "no account": ({"creates_people": False}, {}, "unknown-person"),
    "an unverified address links nobody": (
        {"creates_people": False, "links_by_email": True},
        {"email": "mori@noc.example", "is_email_verified": False},
        "unknown-person",
    ),
    "the address is taken": ({}, {"email": "mori@noc.example"}, "taken"),
    "an address with a dotless i links nobody": (
        LINKS | {"creates_people": False},
        {"email": "tosh\u0131@noc.example"},
        "email-domain",
    ),
    "an address with a long s links nobody": (
        {"links_by_email": True, "creates_people": False},
        {"email": "\u017foki@noc.example"},
        "unknown-person",
    ),
    "an address links no superuser": (LINKS, {"email": "root@noc.example"}, "taken"),
    "an address links no service account": (LINKS, {"email": "robot@noc.example"}, "taken"),
    "an address links no second subject": (LINKS, {"email": "linked@noc.example"}, "taken"),
    "another domain": ({"email_domains": "noc.example, x.example"}, {"email": "k@noc.example.evil"}, "email-domain"),
    "an unverified domain": ({"email_domains": "noc.example"}, {"is_email_verified": False}, "email-unverified"),
    "no address although a domain is needed": ({"email_domains": "noc.example"}, {"email": ""}, "email-domain"),
    "a disabled person": ({}, {"subject": "disabled"}, "disabled"),
    "another issuer": (
        {"creates_people": False},
        {"issuer": "https://evil.example", "subject": "linked"},
        "unknown-person",
    ),
    "no usable name": ({}, {"email": "", "username": "a b\x00"}, "bad-name"),
}


@pytest.mark.parametrize(("settings_of_provider", "claims", "code"), REFUSED.values(), ids=REFUSED)
def test_a_sign_in_is_refused(provider, settings_of_provider, claims, code):
    people.person("mori", email="mori@noc.example")
    people.person("robot", email="robot@noc.example", is_service=True)
    people.make_superuser(people.person("root", email="root@noc.example"))
    for name in ("linked", "disabled"):
        person = people.person(name, email=f"{name}@noc.example", is_active=name != "disabled")
        Identity.objects.create(provider=provider, person=person, issuer=KEIKO.issuer, subject=name)
    for name, value in settings_of_provider.items():
        setattr(provider, name, value)

    with pytest.raises(SignInRefused) as refused:
        sign_in(provider, replace(KEIKO, **claims))

    assert refused.value.code == code
    assert (User.objects.count(), Identity.objects.count(), Grant.objects.filter(provider=provider).count()) == (
        5,
        2,
        0,
    )


def test_groups_become_grants_which_are_renewed_and_leave_others_alone(provider, fleet):
    site = fleet.site("UMD", region="Kansai")
    for value, role, scope in (
        ("noc", "Operator", {"region": "Kansai"}),
        ("noc", "Viewer", {}),
        ("leads", "Lead", {"site": site}),
        ("NOC", "Administrator", {}),
    ):
        GroupMapping.objects.create(provider=provider, value=value, role=built_in(role), **scope)
    keiko = sign_in(provider, replace(KEIKO, groups=frozenset({"noc", "unknown"})))
    by_hand = people.grant(keiko, "Viewer")

    first = held(keiko)
    sign_in(provider, replace(KEIKO, groups=frozenset({"leads"})))
    second = held(keiko)
    groups.withdraw_all(provider)

    assert first == {("Operator", "Kansai", True), ("Viewer", "everything", True), ("Viewer", "everything", False)}
    assert second == {("Lead", str(site), True), ("Viewer", "everything", False)}
    assert list(Grant.objects.filter(person=keiko)) == [by_hand]
    entry = AuditEntry.objects.filter(action="withdrawn").latest("pk")
    assert entry.changes == {"provider": ["Company account", None]}


def test_a_sign_in_without_groups_leaves_the_last_administrator_their_grants(provider):
    """The break-glass account aside, nobody would manage people any more."""
    GroupMapping.objects.create(provider=provider, value="admins", role=built_in("Administrator"))
    keiko = sign_in(provider, replace(KEIKO, groups=frozenset({"admins"})))

    sign_in(provider)
    alone = held(keiko)
    people.grant(people.person("boss", of=None), "Administrator")
    sign_in(provider)

    assert alone == {("Administrator", "everything", True)}
    assert held(keiko) == set()


def held(person: User) -> set[tuple[str, str, bool]]:
    """Role, scope, and whether it comes from a provider."""
    return {(grant.role.name, grant.scope_name, grant.provider is not None) for grant in person.grants.all()}


def test_a_grant_from_groups_is_not_withdrawn_by_hand(provider):
    boss, keiko = people.make_superuser(people.person("boss")), sign_in(provider)
    grant = Grant.objects.create(person=keiko, role=built_in("Viewer"), provider=provider)

    page = people.signed_in(boss).get(f"/people/{keiko.pk}/").content.decode()
    answer = people.signed_in(boss).post(f"/people/grants/{grant.pk}/withdraw/")

    assert "from groups at" in page
    assert "Company account" in page
    assert answer.status_code == 403
    assert Grant.objects.filter(pk=grant.pk).exists()
