"""A television shows a code, and a person who may manage screens enters it."""

from datetime import timedelta

import pytest
from django.db.models import ProtectedError

from tests.support import people
from tests.support.accounts import screens
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry, ScreenPairing, WallScreen
from tms.accounts.screens import codes, pairing, services
from tms.accounts.screens.forms import ScreenForm
from tms.fleet.models import Site

pytestmark = pytest.mark.both
SHOWN = {
    "name": "NOC Tokyo",
    "scope": "everything",
    "boards": ["overview", "sites"],
    "every_s": 20,
    "sounds": ["critical"],
    "language": "ja",
    "theme": "dark",
    "time_zone": "Asia/Tokyo",
}


def shown_code(television) -> str:
    """The code on the television, after it asked for one."""
    television.post("/wall/code/")
    return HtmlPage(television.get("/wall/")).text("code")


def test_a_television_shows_its_code_until_it_was_entered_and_then_the_wall(browser, lead):
    television = screens.television()

    code = shown_code(television)
    described = HtmlPage(browser.get("/pair/", {"code": code.lower()}))
    answer = browser.post("/pair/", SHOWN | {"code": code})

    assert code in described.html
    assert answer["Location"] == "/people/screens/?done=paired"
    screen = WallScreen.objects.get()
    assert (screen.name, screen.boards, screen.created_by) == ("NOC Tokyo", ["overview", "sites"], lead)
    wall = television.get("/wall/")
    assert wall["Content-Language"] == "ja"
    assert "NOC Tokyo" in HtmlPage(wall).text("wall")
    assert not ScreenPairing.objects.exists()
    entry = AuditEntry.objects.get(subject_type="accounts.wallscreen")
    assert (entry.action, entry.actor, entry.changes["digest"]) == ("paired", lead, [None, "•••"])
    assert "NOC Tokyo Overview, Sites" in HtmlPage(browser.get("/people/screens/")).text("main")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("CDFG-HJKM", "CDFGHJKM"),
        (" cdfg hjkm ", "CDFGHJKM"),
        ("CDFGHJK", ""),
        ("CDFG-HJK0", ""),
        ("CDFGHJKM" * 9, ""),
        ("", ""),
    ],
)
def test_a_code_may_be_typed_in_any_case_and_with_any_separators(typed, expected):
    assert codes.parse(typed) == expected


def test_codes_have_no_characters_that_look_alike():
    assert set("AEIOU0O1IL2Z5S8B") & set(codes.ALPHABET) == set()
    assert {len(codes.new_code()) for _ in range(20)} == {codes.LENGTH}


def test_a_new_code_replaces_the_one_of_the_same_television(db):
    television = screens.television()
    first, second = shown_code(television), shown_code(television)

    assert first != second
    assert [codes.format_code(row.code) for row in ScreenPairing.objects.all()] == [second]


def test_an_expired_code_pairs_nothing(browser):
    television = screens.television()
    code = shown_code(television)
    ScreenPairing.objects.update(expires_at=now(-1))

    answer = browser.post("/pair/", SHOWN | {"code": code})

    assert answer.status_code == 422
    assert "No screen shows this code now." in HtmlPage(answer).text("main")
    assert not WallScreen.objects.exists()
    assert 'id="code"' not in television.get("/wall/").content.decode()


def test_a_code_pairs_one_screen(browser):
    code = shown_code(screens.television())

    answers = [browser.post("/pair/", SHOWN | {"code": code}).status_code for _ in range(2)]

    assert answers == [302, 422]
    assert WallScreen.objects.count() == 1


def test_one_address_gets_a_limited_number_of_codes(db, monkeypatch):
    monkeypatch.setattr(pairing, "CODES_OF_NETWORK", 2)

    answers = [screens.television().post("/wall/code/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 600
    assert ScreenPairing.objects.count() == 2


def test_a_limited_number_of_televisions_waits(db, monkeypatch):
    monkeypatch.setattr(pairing, "MAX_WAITING", 1)

    assert [screens.television().post("/wall/code/").status_code for _ in range(2)] == [302, 429]
    ScreenPairing.objects.update(expires_at=now(-1))
    assert screens.television().post("/wall/code/").status_code == 302


def test_wrong_codes_are_limited_for_each_person(browser, region_browser, monkeypatch):
    monkeypatch.setattr(pairing, "WRONG_CODES", 3)
    code = shown_code(screens.television())

    right = [browser.get("/pair/", {"code": code}).status_code for _ in range(5)]
    wrong = [HtmlPage(browser.get("/pair/", {"code": "CDFG-HJKM"})).text("main") for _ in range(4)]

    assert right == [200] * 5
    assert ["Too many wrong codes" in text for text in wrong] == [False, False, False, True]
    assert "Too many wrong codes" in HtmlPage(browser.get("/pair/", {"code": code})).text("main")
    assert region_browser.get("/pair/", {"code": code}).status_code == 200


def test_a_screen_shows_no_more_than_its_person_may_see(region_browser):
    code = shown_code(screens.television())

    answer = region_browser.post("/pair/", SHOWN | {"code": code})

    assert answer.status_code == 422
    assert not WallScreen.objects.exists()
    assert region_browser.post("/pair/", SHOWN | {"code": code, "scope": "region:Kansai"}).status_code == 302
    assert WallScreen.objects.get().region == "Kansai"


def test_pairing_needs_a_recent_sign_in(client, lead):
    client.force_login(lead)

    assert client.get("/pair/")["Location"].startswith("/me/confirm/")


def test_screens_outside_of_the_scope_are_neither_listed_nor_changed(region_browser, lead):
    screen, _secret = screens.paired("NOC Tokyo", by=lead)
    near, _secret = screens.paired("Umeda", by=lead, region="Kansai")

    listed = HtmlPage(region_browser.get("/people/screens/")).text("main")

    assert "NOC Tokyo" not in listed
    assert "Umeda" in listed
    assert region_browser.post(f"/people/screens/{screen.pk}/revoke/").status_code == 404
    assert region_browser.get(f"/people/screens/{near.pk}/").status_code == 200


def test_a_changed_screen_keeps_its_secret(browser, lead):
    screen, secret = screens.paired("NOC", by=lead)

    browser.post(f"/people/screens/{screen.pk}/", SHOWN | {"scope": "region:Kansai"})

    wall = screens.television(secret).get("/wall/")
    assert "NOC Tokyo" in HtmlPage(wall).text("wall")
    assert 'data-boards="overview sites"' in wall.content.decode()
    screen.refresh_from_db()
    assert (screen.region, screen.every_s) == ("Kansai", 20)
    changed = AuditEntry.objects.get(subject_type="accounts.wallscreen", action="changed").changes
    assert changed["name"] == ["NOC", "NOC Tokyo"]


def test_a_change_leaves_the_secret_that_the_television_got_meanwhile(lead):
    screen, _secret = screens.paired("NOC", by=lead)
    WallScreen.objects.filter(pk=screen.pk).update(successor="s" * 64)

    screen.name = "NOC Tokyo"
    services.change(screen)

    assert WallScreen.objects.values_list("name", "successor").get() == ("NOC Tokyo", "s" * 64)


def test_a_screen_that_is_revoked_while_its_form_is_sent_stays_revoked(browser, lead, monkeypatch):
    screen, _secret = screens.paired("NOC", by=lead)
    described = ScreenForm.screen

    def revoked_meanwhile(form):
        services.revoke(WallScreen.objects.get(pk=screen.pk))
        return described(form)

    monkeypatch.setattr(ScreenForm, "screen", revoked_meanwhile)

    assert browser.post(f"/people/screens/{screen.pk}/", SHOWN).status_code == 404
    assert not WallScreen.objects.exists()


def test_a_revoked_screen_shows_a_pairing_code(browser, lead):
    screen, secret = screens.paired("NOC Tokyo", by=lead)
    television = screens.television(secret)

    asked = HtmlPage(browser.get(f"/people/screens/{screen.pk}/revoke/")).text("main")
    browser.post(f"/people/screens/{screen.pk}/revoke/")

    assert "It closes at once" in asked
    assert "NOC Tokyo" not in television.get("/wall/").content.decode()
    assert HtmlPage(television.get("/wall/")).ids.count("pairing") == 1
    assert AuditEntry.objects.filter(action="revoked", subject_name="NOC Tokyo", actor=lead).exists()


def test_a_site_that_a_screen_shows_is_not_deleted(kansai, lead):
    site = kansai.site("HKT")
    screens.paired("Hakata", by=lead, site=site)

    with pytest.raises(ProtectedError):
        site.delete()


def test_a_person_sees_the_wall_with_their_own_scope_and_chooses_in_the_url(kansai, client):
    for site in Site.objects.all():
        kansai.online(site=site, uid=f"{site.code}-1")
    viewer = people.person("viewer", of=None)
    people.grant(viewer, "Viewer", region="Kansai")
    client.force_login(viewer)

    wall = client.get("/wall/?board=sites&board=changes&every_s=99999&board=nonsense").content.decode()

    assert 'data-boards="sites changes"' in wall
    assert 'data-every="600"' in wall
    assert 'id="site-UMD"' in wall
    assert "SJK" not in wall
    assert 'data-board-socket="/ws/board/' in wall


def test_last_seen_is_shown(browser, lead):
    screen, secret = screens.paired("NOC Tokyo", by=lead)
    assert "never" in HtmlPage(browser.get("/people/screens/")).text("main")

    screens.television(secret).get("/wall/")
    assert "now" in HtmlPage(browser.get("/people/screens/")).text("main")

    WallScreen.objects.filter(pk=screen.pk).update(seen_at=now() - timedelta(hours=3))
    assert "3 h ago" in HtmlPage(browser.get("/people/screens/")).text("main")
