"""Saved views: who sees and changes them, on pages and over REST, and what is refused with its reason."""

import pytest

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage, undo_token
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import AuditEntry, TokenScope
from tms.fleet.models import SavedView
from tms.fleet.saved_views import services

pytestmark = [pytest.mark.both, pytest.mark.django_db]
KIOSKS = {"name": "Kiosks to update", "query": "kind:kiosk firmware<4.8"}


@pytest.fixture
def lead():
    return people.person("lead", of="Manager")


@pytest.fixture
def viewer():
    return people.person("viewer", of="Viewer")


@pytest.fixture
def kanto(fleet):
    """The lead of one site, who sees and manages only that."""
    person = people.person("kanto", of=None)
    people.grant(person, "Lead", site=fleet.site("SJK"))
    return person


def shared(by, owner="everything", **values):
    assert people.signed_in(by).post("/views/new/", KIOSKS | {"owner": owner} | values).status_code == 302
    return SavedView.objects.latest("pk")


def names(person):
    return [view.name for view in services.views_of(person)]


def test_a_private_view_is_its_makers_alone_and_leaves_no_entry(viewer, lead):
    made = people.signed_in(viewer).post("/views/new/", KIOSKS | {"columns": "uid,presence", "order": "-firmware"})

    view = SavedView.objects.get()
    assert made["Location"] == view.address
    assert view.address.startswith("/terminals/?q=kind%3Akiosk+firmware%3C4.8&columns=uid%2Cpresence&order=-firmware")
    assert (names(viewer), names(lead)) == ([view.name], [])
    assert people.signed_in(lead).get(f"/views/{view.pk}/").status_code == 404
    assert people.signed_in(lead).post(f"/views/{view.pk}/delete/").status_code == 404
    assert not AuditEntry.objects.filter(subject_type="fleet.savedview").exists()


def test_a_shared_view_is_seen_where_its_scope_overlaps_and_changed_where_it_is_covered(fleet, lead, viewer, kanto):
    fleet.online(site=fleet.site("SJK"))
    everywhere = shared(lead)
    elsewhere = shared(lead, f"site:{fleet.site('OSK').pk}", name="Osaka")
    at_home = shared(kanto, f"site:{fleet.site('SJK').pk}", name="Shinjuku")

    assert names(viewer) == ["Kiosks to update", "Osaka", "Shinjuku"]
    assert names(kanto) == ["Kiosks to update", "Shinjuku"]
    assert names(people.person("new", of=None)) == []
    browser = people.signed_in(kanto)
    statuses = [browser.get(f"/views/{view.pk}/").status_code for view in (everywhere, elsewhere, at_home)]
    assert statuses == [403, 404, 200]
    assert people.signed_in(viewer).post(f"/views/{at_home.pk}/", KIOSKS).status_code == 403


def test_a_scope_that_one_does_not_manage_cannot_be_chosen(fleet, kanto, viewer):
    for person, owner in ((kanto, "everything"), (kanto, f"site:{fleet.site('OSK').pk}"), (viewer, "everything")):
        people.signed_in(person).post("/views/new/", KIOSKS | {"owner": owner, "name": owner})

    assert not SavedView.objects.filter(is_shared=True).exists()


def test_sharing_changing_and_deleting_a_shared_view_are_entries_and_a_deletion_is_undone(lead):
    browser = people.signed_in(lead)
    view = shared(lead)

    browser.post(f"/views/{view.pk}/save/", {"q": "kind:gate", "order": "site"})
    deleted = browser.post(f"/views/{view.pk}/delete/", follow=True)
    restored = browser.post("/undo/", {"token": undo_token(deleted)}, follow=True)

    assert restored.status_code == 200
    found = SavedView.objects.get(pk=view.pk)
    assert (found.name, found.query, found.order, found.is_shared) == (view.name, "kind:gate", "site", True)
    entries = AuditEntry.objects.filter(subject_type="fleet.savedview").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["created", "changed", "deleted", "restored"]


def test_only_the_maker_makes_a_shared_view_private(lead):
    view = shared(lead)
    other = people.person("other", of="Manager")

    refused = people.signed_in(other).post(f"/views/{view.pk}/", KIOSKS | {"owner": ""})
    people.signed_in(lead).post(f"/views/{view.pk}/", KIOSKS | {"owner": ""})

    assert refused.status_code == 422
    assert names(other) == []


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"name": " "}, "id_name_error", "required"),
        ({"name": "x" * 61}, "id_name_error", "60"),
        ({"name": "Taken"}, "id_name_error", "another view"),
        ({"query": "knd:kiosk"}, "id_query_error", "Did you mean kind?"),
        ({"query": "x" * 2_001}, "id_query_error", "2000"),
    ],
)
def test_a_wrong_value_is_refused_with_its_reason(viewer, values, field, reason):
    services.create_view(services.ViewValues("Taken"), by=viewer)

    answer = people.signed_in(viewer).post("/views/new/", KIOSKS | values)

    assert answer.status_code == 422
    assert reason in HtmlPage(answer).text(field)
    assert SavedView.objects.count() == 1


def test_people_and_tms_have_a_limited_number_of_views(lead, viewer, monkeypatch):
    monkeypatch.setattr(services, "MAX_OWN_VIEWS", 2)
    monkeypatch.setattr(services, "MAX_SHARED_VIEWS", 1)
    shared(lead)

    again = people.signed_in(lead).post("/views/new/", KIOSKS | {"name": "Another", "owner": "everything"})
    people.signed_in(lead).post("/views/new/", KIOSKS | {"name": "Mine"})
    third = people.signed_in(lead).post("/views/new/", KIOSKS | {"name": "Third"})

    assert "There are 1 shared views" in again.content.decode()
    assert "You have 2 views" in third.content.decode()
    assert SavedView.objects.count() == 2


def test_a_view_whose_field_is_gone_is_renamed_and_deleted_but_not_saved_with_another_mistake(viewer):
    view = SavedView.objects.create(by=viewer, name="Old", query="attr.gone:1")
    browser = people.signed_in(viewer)

    listed = browser.get(view.address)
    renamed = browser.post(f"/views/{view.pk}/", {"name": "Older", "query": view.query})
    saved = browser.post(f"/views/{view.pk}/save/", {"q": "attr.other:1"})

    assert "attr.gone" in HtmlPage(listed).text("query-problem")
    assert (listed.status_code, renamed.status_code, saved.status_code) == (200, 302, 422)
    assert browser.post(f"/views/{view.pk}/delete/").status_code == 302


def test_a_dialog_answers_with_itself_or_leads_to_the_list(viewer):
    browser = people.signed_in(viewer)
    htmx = {"HX-Request": "true"}

    asked = browser.get("/views/new/", {"q": "kind:kiosk"}, headers=htmx)
    refused = browser.post("/views/new/", {"name": ""}, headers=htmx)
    saved = browser.post("/views/new/", KIOSKS, headers=htmx)

    assert 'value="kind:kiosk"' in asked.content.decode()
    assert "<html" not in asked.content.decode() + refused.content.decode()
    assert refused.status_code == 422
    assert saved["HX-Redirect"] == SavedView.objects.get().address


def test_rest_does_what_the_pages_do(lead, kanto):
    client = ApiClient.of(lead)
    body = {**KIOSKS, "columns": "uid", "order": "site", "shared": True}

    made = client.post("/views", body, Idempotency_Key="once")
    again = client.post("/views", body, Idempotency_Key="once")
    path = made["Location"]
    changed = client.send("PATCH", path, {"name": "Kiosks"}, If_Match=made["ETag"])
    stale = client.send("PATCH", path, {"name": "Kiosk"}, If_Match=made["ETag"])

    assert (made.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert changed.json() == made.json() | {"name": "Kiosks"}
    assert problem_of(stale) == (412, "tms:view-changed")
    assert [view["name"] for view in ApiClient.of(kanto).get("/views").json()["items"]] == ["Kiosks"]
    assert ApiClient.of(kanto).send("DELETE", path, If_Match="*").status_code == 403
    assert client.send("DELETE", path, If_Match="*").status_code == 204
    assert client.get(path).status_code == 404


def test_rest_says_what_is_wrong_with_a_view(viewer):
    client = ApiClient.of(viewer)
    client.post("/views", KIOSKS)

    assert problem_of(client.post("/views", KIOSKS)) == (409, "tms:exists")
    assert invalid_fields(client.post("/views", {"name": "New", "query": "knd:kiosk"})) == ["$.query"]
    assert client.post("/views", {"name": "New", "shared": True}).status_code == 403
    assert SavedView.objects.count() == 1


def test_a_token_that_may_only_read_saves_no_view(viewer):
    secret = api_tokens.issue(viewer, name="reader", at=now(), scope=TokenScope.READ)[1]

    assert ApiClient(secret).get("/views").status_code == 200
    assert ApiClient(secret).post("/views", KIOSKS).status_code == 403
