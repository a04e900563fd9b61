"""The impact order of alerts: by the working terminals beside each, and by opening hours."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from tests.boards.alert_list import alert_ids
from tests.support import factories
from tests.support.factories import now
from tms.fleet.models.opening_hours import SpecialDay

pytestmark = pytest.mark.both


def today() -> date:
    return timezone.localdate()


def closed(fleet, code: str):
    """A site that is closed today, yesterday and tomorrow."""
    site, day = fleet.site(code), timedelta(days=1)
    SpecialDay.objects.create(site=site, first_on=today() - day, last_on=today() + day)
    return site


def test_the_last_gate_of_an_open_site_comes_before_older_alerts_elsewhere(page, fleet):
    many, few, night = fleet.site("MNY"), fleet.site("FEW"), closed(fleet, "NGT")
    for _ in range(3):
        fleet.online(site=many, kind="gate")
    fleet.online(site=few, kind="kiosk")
    at_night = factories.alert(fleet, site=night, kind="gate", opened_at=now(-900))
    one_of_four = factories.alert(fleet, site=many, kind="gate", opened_at=now(-600))
    harmless = factories.alert(fleet, severity="warning", site=few, kind="gate", opened_at=now(-300))
    last = factories.alert(fleet, terminal=harmless.terminal, opened_at=now(-10))

    seen = page("/alerts/")

    assert alert_ids(seen) == [last.pk, one_of_four.pk, harmless.pk, at_night.pk]
    assert "Ticket gate: the only one at this site" in seen.text(f"alert-{last.pk}")
    assert "Ticket gate: 3 of 4 working" in seen.text(f"alert-{one_of_four.pk}")
    assert "work" not in seen.text(f"alert-{harmless.pk}")
    assert "site closed until" in seen.text(f"alert-{at_night.pk}")


def test_an_offline_or_critical_terminal_does_not_work(page, fleet):
    site = fleet.site()
    fleet.online(site=site, kind="gate")
    fleet.with_presence("offline", site=site, kind="gate")
    broken = [factories.alert(fleet, site=site, kind="gate") for _ in range(2)]
    factories.alert(fleet, terminal=broken[0].terminal)

    assert "Ticket gate: 1 of 4 working" in page("/alerts/").text(f"alert-{broken[0].pk}")


def test_the_reason_follows_the_terminals_beside_it(page, fleet):
    site = fleet.site()
    beside = fleet.online(site=site, kind="gate")
    alert = factories.alert(fleet, site=site, kind="gate")
    before = page("/alerts/").text(f"alert-{alert.pk}")

    type(beside.state).objects.filter(pk=beside.pk).update(presence="offline")

    assert "1 of 2 working" in before
    assert "none of 2 working" in page("/alerts/").text(f"alert-{alert.pk}")


def test_an_open_site_shows_its_closing_time(page, fleet):
    site = fleet.site()
    tomorrow = today() + timedelta(days=1)
    SpecialDay.objects.create(site=site, first_on=tomorrow, last_on=tomorrow)
    alert = factories.alert(fleet, site=site, kind="gate")

    assert "open until" in page("/alerts/").text(f"alert-{alert.pk}")


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", "bca"),
        ("order=impact", "bca"),
        ("order=nonsense", "bca"),
        ("order=severity", "cba"),
        ("order=oldest", "acb"),
    ],
)
def test_the_order_is_part_of_the_url(page, fleet, query, order):
    site = fleet.site("MNY")
    fleet.online(site=site, kind="gate")
    alerts = {
        "a": factories.alert(fleet, severity="warning", opened_at=now(-900)),
        "c": factories.alert(fleet, site=site, kind="gate", opened_at=now(-600)),
        "b": factories.alert(fleet, site=fleet.site("ONE"), opened_at=now(-10)),
    }

    assert alert_ids(page(f"/alerts/?{query}")) == [alerts[name].pk for name in order]


def test_many_alerts_are_paginated_in_impact_order(page, fleet):
    rule, at = fleet.metric_rule(severity="critical"), now()
    terminals = [fleet.terminals_online(44, site=fleet.site(f"S{n}")) for n in range(3)]
    mixed = [terminal for together in zip(*terminals, strict=True) for terminal in together]
    made = factories.alerts(rule, mixed, [at + timedelta(seconds=n) for n in range(len(mixed))])
    whole = alert_ids(page("/alerts/?severity=critical"))
    first = page("/alerts/?severity=critical")
    (after,) = [link for link in first.links() if "after=" in link]

    second = page(after)
    (before,) = [link for link in second.links() if "before=" in link]

    assert sorted(whole + alert_ids(second)) == sorted(alert.pk for alert in made)
    assert alert_ids(page(before)) == alert_ids(first)
