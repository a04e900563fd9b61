"""Properties of every page, for any person and any data of a terminal."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import factories
from tests.support.factories import now
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import Scope
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
ICON = re.compile(r'<symbol id="([\w-]+)"')
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script><b hx-get="/" hx-trigger="load">\'{{7*7}}'


@pytest.fixture
def alert(fleet, tanaka):
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
    scope = Scope(sites=[site], terminals=[terminal], groups=[Group.objects.create(name=HOSTILE[:100])])
    services.plan(recurrence, scope, note=HOSTILE[:200], by=tanaka, at=now())
    command = commands.queue(terminal, name="ping", args={}, by=tanaka, at=now())
    type(command).objects.update(state="failed", result={"lines": [HOSTILE]}, error=HOSTILE)
    held = factories.alert(fleet, terminal=terminal, rule=rule, value=80.0)
    factories.acknowledged(held, by=tanaka, comment=HOSTILE)
    factories.resolved(factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule(name="Other")))
    tanaka.first_name, tanaka.last_name = HOSTILE[:100], HOSTILE[:100]
    tanaka.save()
    return held


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("address", PAGES)
def test_foreign_text_is_rendered_as_text(page, alert, tanaka, address, language):
    tanaka.language = language
    tanaka.save()

    seen = page(address.format(alert=alert.pk))

    assert "<img" not in seen.html
    assert "<b hx-" not in seen.html
    assert "49" not in re.findall(r"'(\d+)", seen.html)
    assert not [attributes for _, attributes in seen.elements if any(name.startswith("on") for name in attributes)]


@pytest.mark.parametrize("address", PAGES)
def test_there_are_no_inline_styles_or_scripts(browser, alert, address):
    answer = browser.get(address.format(alert=alert.pk))

    html = answer.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|javascript:", html) == []
    assert "'unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("address", PAGES)
def test_ids_are_unique_and_every_label_has_its_field(page, alert, address):
    seen = page(address.format(alert=alert.pk))

    named = [attributes.get("for") for tag, attributes in seen.elements if tag == "label" and "for" in attributes]
    described = [
        attributes[name]
        for _, attributes in seen.elements
        for name in ("aria-labelledby", "aria-describedby")
        if name in attributes
    ]
    assert sorted(seen.ids) == sorted(set(seen.ids))
    assert {*named, *described} - set(seen.ids) == set()


@pytest.mark.parametrize("address", PAGES)
def test_every_used_icon_is_in_the_sprite(page, alert, address):
    seen = page(address.format(alert=alert.pk))

    used = {attributes["href"] for tag, attributes in seen.elements if tag == "use"}
    assert used <= {f"{icons.address()}#{name}" for name in ICON.findall(icons.sprite().decode())}


def test_every_link_can_be_resolved(browser, page, alert, tanaka):
    tanaka.is_staff = tanaka.is_superuser = True
    tanaka.save()

    links = {
        link: address
        for address in PAGES
        for link in page(address.format(alert=alert.pk)).links()
        if link.startswith("/")
    }

    broken = {link: address for link, address in links.items() if browser.get(link).status_code != 200}
    assert links
    assert broken == {}


@pytest.mark.parametrize("address", PAGES)
def test_every_htmx_request_is_on_a_link_or_a_form(page, alert, address):
    seen = page(address.format(alert=alert.pk))

    for tag, attributes in seen.elements:
        if "hx-get" in attributes or "hx-post" in attributes:
            assert {"href", "action", "formaction"} & attributes.keys(), (tag, attributes)
