"""Properties of every page, for any person and any data of a terminal."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.support import factories
from tests.support.builders import Fleet
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.people import make_superuser, person
from tms.accounts.models import User
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert
from tms.boards import icons
from tms.commands import services as commands
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import Recurrence

PAGES = [
    "/",
    "/terminals/",
    "/terminals/?q=hostile&presence=online",
    "/terminals/T-1/",
    "/terminals/T-1/?show=events&span=7d",
    "/alerts/",
    "/alerts/?state=resolved",
    "/alerts/{alert}/",
    "/alerts/acknowledge/?all=1",
    "/alerts/acknowledge/?alert={alert}",
    "/maintenance/",
    "/maintenance/new/?terminal=T-1",
    "/help/",
]
EACH = tuple(product(("en", "ja"), PAGES))
ICON = re.compile(r'<symbol id="([\w-]+)"')
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script><b hx-get="/" hx-trigger="load">\'{{7*7}}'


class Answered(NamedTuple):
    answer: HttpResponse
    seen: HtmlPage


def hostile_alert(fleet: Fleet, tanaka: User) -> Alert:
    """Hostile text in everything that a terminal, an integrator or a colleague can write."""
    site = Site.objects.create(code="SJK", name=HOSTILE[:100], name_ja=HOSTILE[:100], region=HOSTILE[:100])
    returned = {"model": HOSTILE[:64], "firmware": HOSTILE[:64], "serial": HOSTILE[:64], "agent": HOSTILE[:64]}
    terminal = fleet.online(site=site, uid="T-1", label=HOSTILE[:100], metrics={"<b>_c": 1.0, "temperature_c": 80.0})
    Terminal.objects.filter(pk=terminal.pk).update(**returned)
    rule = fleet.metric_rule(name=HOSTILE[:100], name_ja=HOSTILE[:100])
    factories.report(terminal, 1, at=now(), metrics={"<b>_c": 1.0, "temperature_c": 80.0})
    factories.event(terminal, HOSTILE[:64], text=HOSTILE)
    factories.moved(terminal, "silent", "online", at=now())
    recurrence = Recurrence(ZoneInfo("UTC"), now(-60).replace(tzinfo=None), timedelta(hours=1))
    scope = WindowScope(sites=[site], terminals=[terminal], groups=[Group.objects.create(name=HOSTILE[:100])])
    services.plan(recurrence, scope, note=HOSTILE[:200], by=tanaka, at=now())
    command = commands.queue(terminal, name="ping", args={}, by=tanaka, at=now())
    type(command).objects.update(state="failed", result={"lines": [HOSTILE]}, error=HOSTILE)
    acknowledged_alert = factories.alert(fleet, terminal=terminal, rule=rule, value=80.0)
    factories.acknowledged(acknowledged_alert, by=tanaka, comment=HOSTILE)
    factories.resolved(factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule(name="Other")))
    tanaka.first_name, tanaka.last_name = HOSTILE[:100], HOSTILE[:100]
    tanaka.save()
    return acknowledged_alert


@pytest.fixture(scope="module")
def pages(django_db_setup, django_db_blocker) -> Mapping[tuple[str, str], Answered]:
    """Every page in both languages, by language and address: requested once for all tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        tanaka = person("tanaka", of="Operator")
        alert = hostile_alert(Fleet(), tanaka)
        answers = {(language, address): ask(tanaka, language, address, alert) for language, address in EACH}
        transaction.set_rollback(True)
    return answers


def ask(tanaka: User, language: str, address: str, alert: Alert) -> Answered:
    tanaka.language = language
    tanaka.save()
    client = Client()
    client.force_login(tanaka)
    answer = client.get(address.format(alert=alert.pk))
    assert answer.status_code == 200, address
    return Answered(answer, HtmlPage(answer))


def test_foreign_text_is_rendered_as_text(pages):
    assert {address: found for address, (_, seen) in pages.items() if (found := [*executable(seen)])} == {}


def executable(seen: HtmlPage) -> Iterator[str]:
    """Elements, attributes and results that only hostile text brings."""
    yield from (text for text in ("<img", "<b hx-") if text in seen.html)
    yield from (number for number in re.findall(r"'(\d+)", seen.html) if number == "49")
    for _, attributes in seen.elements:
        yield from (name for name in attributes if name.startswith("on"))


def test_there_are_no_inline_styles_or_scripts(pages):
    inline = r"<script(?![^>]*\bsrc=)|<style|\sstyle=|javascript:"

    assert {address: found for address, (_, seen) in pages.items() if (found := re.findall(inline, seen.html))} == {}
    assert [address for address, (answer, _) in pages.items() if "'unsafe" in answer["Content-Security-Policy"]] == []


def test_ids_are_unique_and_every_label_has_its_field(pages):
    repeated = {address: sorted(seen.ids) for address, (_, seen) in pages.items() if len(seen.ids) > len({*seen.ids})}
    unknown = {address: names for address, (_, seen) in pages.items() if (names := referred(seen) - {*seen.ids})}

    assert repeated == {}
    assert unknown == {}


def referred(seen: HtmlPage) -> set[str | None]:
    """The ids in labels and in ARIA attributes."""
    named = {attributes["for"] for tag, attributes in seen.elements if tag == "label" and "for" in attributes}
    described = {
        attributes[name]
        for _, attributes in seen.elements
        for name in ("aria-labelledby", "aria-describedby")
        if name in attributes
    }
    return named | described


def test_every_used_icon_is_in_the_sprite(pages):
    drawn = {f"{icons.address()}#{name}" for name in ICON.findall(icons.sprite().decode())}

    used = {attributes["href"] for _, seen in pages.values() for tag, attributes in seen.elements if tag == "use"}

    assert used
    assert used <= drawn


def test_every_link_can_be_resolved(browser, fleet, page, tanaka):
    alert = hostile_alert(fleet, tanaka)
    make_superuser(tanaka)

    links = {
        link: address
        for address in PAGES
        for link in page(address.format(alert=alert.pk)).links()
        if link.startswith("/")
    }

    broken = {link: address for link, address in links.items() if browser.get(link, follow=True).status_code != 200}
    assert links
    assert broken == {}


def test_every_htmx_request_is_on_a_link_or_a_form(pages):
    for address, (_, seen) in pages.items():
        for tag, attributes in seen.elements:
            # What a choice changes in a form is there after its POST, too.
            if tag != "select" and ("hx-get" in attributes or "hx-post" in attributes):
                assert {"href", "action", "formaction"} & attributes.keys(), (address, tag, attributes)
