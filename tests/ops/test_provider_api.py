"""Identity providers over REST."""

import pytest

from tests.support import people
from tests.support.factories import now
from tests.support.rest import ApiClient, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import AuditEntry, Grant, IdentityProvider, Role, TokenScope
from tms.accounts.roles import built_in

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def provider(db) -> IdentityProvider:
    made = IdentityProvider(name="Company account", slug="company", issuer="https://login.example", client_id="tms")
    made.client_secret = "s3cret-of-the-client"
    made.save()
    return made


@pytest.fixture
def client(db) -> ApiClient:
    boss = people.person("boss", of=None)
    people.grant(boss, "Administrator")
    return ApiClient.of(boss)


def test_providers_are_read_without_their_secrets(client, provider, fleet):
    provider.mappings.create(value="noc", role=built_in("Operator"), site=fleet.site("UMD"))

    listed = client.get("/identity-providers")
    one = client.get(f"/identity-providers/{provider.pk}").json()

    assert listed.json()["items"] == [one]
    assert (one["slug"], one["kind"], one["is_enabled"]) == ("company", "oidc", True)
    assert [(each["value"], each["role"], each["scope"]) for each in one["mappings"]] == [
        ("noc", "Operator", {"region": "", "site": "UMD", "group": ""})
    ]
    assert "s3cret" not in listed.content.decode()


def test_a_group_is_mapped_and_unmapped(client, provider):
    address = f"/identity-providers/{provider.pk}/mappings"

    made = client.post(address, {"value": "noc", "role": "Viewer"})
    again = client.post(address, {"value": "noc", "role": "Viewer"})
    removed = client.send("DELETE", f"{address}/{made.json()['id']}")

    assert (made.status_code, again.json(), removed.status_code) == (201, made.json(), 204)
    assert not provider.mappings.exists()
    entries = AuditEntry.objects.filter(action="changed").order_by("pk")
    assert [(entry.actor_name, entry.token_name) for entry in entries] == [("boss", "a script")] * 2


def test_a_group_is_not_mapped_to_more_than_the_person_holds(provider):
    setter = people.person("setter", of=None)
    role = Role.objects.create(name="Setter", permissions=["edit_providers", "manage_people"])
    Grant.objects.create(person=setter, role=role)
    client = ApiClient.of(setter)
    address = f"/identity-providers/{provider.pk}/mappings"

    answers = [client.post(address, {"value": "noc", "role": name}) for name in ("Administrator", "Nothing")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert not provider.mappings.exists()


def test_a_provider_is_disabled_and_nothing_else_of_it_changes(client, provider):
    address = f"/identity-providers/{provider.pk}"

    answer = client.post(f"{address}/disable")
    refused = [client.send(method, address, {"issuer": "https://evil.example"}) for method in ("PUT", "PATCH")]

    assert answer.json()["is_enabled"] is False
    assert [each.status_code for each in refused] == [405, 405]
    assert AuditEntry.objects.get(action="disabled").actor_name == "boss"


def test_it_needs_the_permission_for_everything_and_a_full_token(provider, fleet):
    fleet.site("UMD", region="Kansai")
    regional = people.person("regional", of=None)
    people.grant(regional, "Administrator", region="Kansai")
    boss = people.make_superuser(people.person("boss"))
    reader = ApiClient(api_tokens.issue(boss, name="reader", at=now(), scope=TokenScope.READ)[1])

    answers = [each.get("/identity-providers") for each in (ApiClient.of(regional), reader)]

    assert [problem_of(answer)[0] for answer in answers] == [403, 403]
