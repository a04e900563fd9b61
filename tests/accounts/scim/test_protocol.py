"""What the protocol asks of every resource: who may call, lists, filters, versions, discovery and errors."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.accounts.directory import PATCH, USER, Directory, ok, refused
from tests.support.rest import ApiClient, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import TokenScope, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]


# Who may call


@pytest.mark.parametrize("scope", [TokenScope.FULL, TokenScope.READ])
def test_other_tokens_of_a_service_account_are_refused(directory, scope):
    assert refused(Directory(directory.account, scope=scope).get("Users"))[0] == 403


def test_a_token_of_a_person_is_refused_whatever_its_scope(db):
    boss = User.objects.create_superuser("root")

    assert refused(Directory(boss).get("Users"))[0] == 403


def test_without_a_valid_token_nothing_is_answered(directory):
    browser = people.signed_in(User.objects.create_superuser("root"))
    answers = [browser.get("/scim/v2/Users"), Client().get("/scim/v2/ServiceProviderConfig")]
    api_tokens.revoke(directory.account.api_tokens.all(), at=timezone.now())
    answers.append(directory.get("Users"))

    assert [refused(answer)[0] for answer in answers] == [401, 401, 401]
    assert answers[0]["WWW-Authenticate"] == 'Bearer realm="TMS"'


@pytest.mark.parametrize("path", ["/terminals", "/alerts", "/audit"])
def test_a_token_for_scim_does_nothing_else(directory, path):
    assert problem_of(ApiClient(directory.secret).get(path)) == (403, "tms:forbidden")


def test_too_many_requests_wait(directory, settings):
    settings.API_BURST, settings.API_PER_MINUTE = 2, 1

    answers = [directory.get("Users") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 1


# Lists and filters


@pytest.fixture
def filled(directory) -> Directory:
    for name in ("aiko", "ben", "chie"):
        directory.create(f"{name}@noc.example", externalId=f"X-{name}", name={"givenName": name.title()})
    directory.create("dai", active=False)
    return directory


FILTERS = {
    'userName eq "AIKO@noc.example"': "aiko",
    'USERNAME Eq "ben@NOC.example"': "ben",
    f'{USER}:userName eq "ben@noc.example"': "ben",
    'externalId eq "X-ben"': "ben",
    'externalId eq "x-ben"': "",
    'externalId eq "X-ben" and userName eq "ben@noc.example"': "ben",
    'externalId eq "X-ben" and userName eq "aiko@noc.example"': "",
    'userName sw "a" or name.givenName eq "chie"': "aiko chie",
    'userName ew "@noc.example" and not (userName co "e")': "",
    "externalId pr and active eq true": "aiko ben chie",
    "active eq false": "dai",
    'userName ne "dai" and userName co "@noc"': "aiko ben chie",
    'emails pr or userName eq "%"': "",
    'emails[type eq "work" and value eq "nobody@noc.example"]': "",
    'emails.value eq "nobody@noc.example"': "",
    'id eq "person-0"': "",
    'id eq "7"': "",
    'userName eq "\\"; DROP TABLE"': "",
    'userName eq "_ik_@noc.example"': "",
}


@pytest.mark.parametrize(("text", "names"), FILTERS.items(), ids=FILTERS)
def test_a_filter_finds_people(filled, text, names):
    found = ok(filled.get("Users", filter=f'({text}) and userName ne "boss-of-Administrator"'))

    assert [user["userName"].partition("@")[0] for user in found["Resources"]] == names.split()


INVALID = {
    "no filter": "userName",
    "an unknown attribute": 'nickName eq "x"',
    "an attribute that is not stored": 'title eq "x"',
    "an unknown operator": 'userName is "x"',
    "an order": 'userName gt "x"',
    "not closed": 'userName eq "x',
    "a part of an id": 'id sw "person"',
    "deep": "not (" * 60 + 'userName eq "x"' + ")" * 60,
    "long": 'userName eq "' + "x" * 1_000 + '"',
    "many comparisons": " or ".join(['userName eq "x"'] * 21),
    "a NUL": 'userName eq "\\u0000"',
    "half a pair": 'userName eq "\\ud800"',
    "a number out of range": "userName eq 1e999",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_an_invalid_filter_is_explained(directory, text):
    assert refused(directory.get("Users", filter=text)) == (400, "invalidFilter")


PAGES = {
    "the first two": ({"startIndex": "1", "count": "2"}, 1, 2),
    "the next": ({"startIndex": "3", "count": "2"}, 3, 2),
    "below one": ({"startIndex": "-5", "count": "1"}, 1, 1),
    "beyond the end": ({"startIndex": "900"}, 900, 0),
    "none": ({"count": "0"}, 1, 0),
    "fewer than none": ({"count": "-1"}, 1, 0),
    "a huge page": ({"count": "999999"}, 1, 5),
    "a huge start": ({"startIndex": "9" * 30}, 10**9, 0),
}


@pytest.mark.parametrize(("query", "first", "number"), PAGES.values(), ids=PAGES)
def test_a_list_has_pages(filled, query, first, number):
    page = ok(filled.get("Users", **query))

    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, first, number)
    assert len(page["Resources"]) == number


def test_a_list_of_many_costs_as_many_queries_as_one_of_one(filled, django_assert_num_queries):
    filled.get("Users")
    filled.create_group("Night shift", *[user["id"] for user in ok(filled.get("Users"))["Resources"]])

    for kind in ("Users", "Groups"):
        for count in (1, 100):
            with django_assert_num_queries(5):
                ok(filled.get(kind, count=count))


@pytest.mark.parametrize(
    "query", [{"attributes": "userName"}, {"excludedAttributes": "groups,emails,NAME,active,meta"}]
)
def test_attributes_are_chosen(filled, query):
    [shown] = ok(filled.get("Users", filter='userName eq "ben@noc.example"', **query))["Resources"]

    assert {"schemas", "id", "userName"} <= shown.keys() <= {"schemas", "id", "userName", "externalId"}


# Versions


def test_a_version_changes_with_the_content_also_by_another_hand(directory):
    key = directory.create("aiko@noc.example")
    first = directory.get(f"Users/{key}")

    User.objects.filter(username="aiko@noc.example").update(first_name="Aiko")
    second = directory.get(f"Users/{key}")

    assert first["ETag"] == first.json()["meta"]["version"]
    assert first["ETag"] != second["ETag"]
    assert directory.send("GET", f"Users/{key}", If_None_Match=second["ETag"]).status_code == 304
    stale = directory.patch(f"Users/{key}", {"op": "remove", "path": "name"}, If_Match=first["ETag"])
    assert refused(stale)[0] == 412
    ok(directory.patch(f"Users/{key}", {"op": "remove", "path": "name"}, If_Match=second["ETag"]))


# Discovery and errors


def test_discovery_describes_what_there_is(directory):
    config = ok(directory.get("ServiceProviderConfig"))
    schema = ok(directory.get(f"Schemas/{USER}"))
    names = [kind["endpoint"] for kind in ok(directory.get("ResourceTypes"))["Resources"]]

    assert names == ["/Users", "/Groups"]
    supported = {name: config[name]["supported"] for name in ("patch", "filter", "etag", "bulk", "sort")}
    assert supported == {"patch": True, "filter": True, "etag": True, "bulk": False, "sort": False}
    assert {one["name"] for one in schema["attributes"]} == {"userName", "name", "emails", "active", "groups"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "Users/", 404),
        ("GET", "Users/person-0", 404),
        ("GET", "Users/team-1", 404),
        ("GET", "Users/person-99999999999999999999", 404),
        ("GET", "nowhere/at/all", 404),
        ("GET", "Schemas/nothing", 404),
        ("GET", "Schemas?filter=name%20pr", 403),
        ("POST", "Users/.search", 501),
        ("POST", ".search", 501),
        ("POST", "Bulk", 501),
        ("GET", "Me", 501),
        ("DELETE", "Users", 405),
        ("OPTIONS", "Users", 405),
        ("GET", "Users?" + "x" * 5_000, 414),
    ],
)
def test_errors_are_scim_messages(directory, method, path, status):
    assert refused(directory.send(method, path))[0] == status


BODIES = {
    "nothing": (b"", 400),
    "no JSON": (b"{", 400),
    "no UTF-8": (b'{"userName": "\xff"}', 400),
    "NaN": (b'{"userName": NaN}', 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "deep": (b'{"userName":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "a deep unknown attribute": (b'{"x":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", 400),
    "too large": (b'{"userName": "' + b"x" * 600_000 + b'"}', 413),
    "huge numbers": (b"[" + b"1e999," * 5_000 + b"1]", 400),
    "a NUL": (b'{"userName": "a\\u0000"}', 400),
    "another schema": (b'{"schemas": ["urn:x"], "userName": "a"}', 400),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_that_is_no_resource_is_refused(directory, body, status, method):
    path = "Users" if method == "POST" else f"Users/{directory.create('aiko@noc.example')}"

    assert refused(directory.send(method, path, body))[0] == status


def test_many_operations_are_refused(directory):
    key = directory.create("aiko@noc.example")
    operations = [{"op": "add", "path": "name.givenName", "value": "A"}] * 1_001

    assert refused(directory.patch(f"Users/{key}", *operations))[0] == 413


names = st.sampled_from(["op", "path", "value", "members", "Members", "emails", "name", "active", "userName", "$ref"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["person-1", "False", USER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    [
        "members",
        'members[value eq "x"]',
        "emails.value",
        "emails[",
        'emails[type eq "home"].value',
        "active",
        "a b",
        "id",
    ]
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Remove", "replace", "x"])},
    optional={"path": paths | json_values, "value": json_values},
)


@given(sent=st.lists(operations | json_values, max_size=3), kind=st.sampled_from(["Users", "Groups"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_patch_breaks_the_server(both, sent: list[Any], kind: str):
    directory, keys = both
    body = json.dumps({"schemas": [PATCH], "Operations": sent}).encode(errors="surrogatepass")

    answer = directory.send("PATCH", f"{kind}/{keys[kind]}", body)

    assert answer.status_code in {200, 400, 403, 404, 409, 413}, answer.content


@pytest.fixture
def both(directory, settings) -> tuple[Directory, dict[str, str]]:
    settings.API_PER_MINUTE = settings.API_BURST = 100_000
    user = directory.create("aiko@noc.example")
    return directory, {"Users": user, "Groups": directory.create_group("Night shift", user)}
