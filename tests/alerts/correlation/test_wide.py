"""Sites that are lost together become one incident: of a region, a group or the whole fleet."""

import pytest

from tests.support import people
from tests.support.alerts.incidents import transitions_of
from tests.support.pages import HtmlPage
from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts import correlation
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.models import Alert, Contract, Incident
from tms.alerts.search import incidents_named
from tms.fleet.models import Site
from tms.notifications.dispatch import outbox
from tms.notifications.models.policy import Escalation, Policy

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def shops(storm, codes: str, region: str, **fields):
    """Three terminals at each site, named by a letter."""
    found = {}
    for code in codes.split():
        storm.fleet.site(code, region=region)
        found[code] = storm.shop(code, 3, **fields)
    return found


def lose(storm, found) -> None:
    for shop in found.values():
        storm.lose(shop)


def wide() -> Incident:
    return Incident.objects.unresolved().exclude(site_count=0).get()


def test_most_sites_of_a_region_are_one_incident(storm):
    west = shops(storm, "W1 W2 W3 W4 W5 W6", "Kansai")
    shops(storm, "E1 E2 E3 E4 E5 E6 E7 E8", "Kanto")

    lose(storm, west)

    assert (wide().named_factor, wide().name, wide().site_count, wide().lost, wide().size) == (
        "region", "Kansai", 6, 18, 18,
    )  # fmt: skip
    assert wide().title == "Region Kansai: 6 sites, 18 of 18 terminals offline"
    assert set(Alert.objects.unresolved().values_list("incident", flat=True)) == {wide().pk}
    assert Incident.objects.unresolved().count() == 1
    parts = wide().parts.order_by("pk")
    assert [part.site.code for part in parts] == list(west)
    assert transitions_of(parts[0])[-1] == ("merged", 3)


def test_a_group_of_the_lost_sites_explains_more_than_their_region(storm):
    west = shops(storm, "W1 W2 W3 W4", "Kansai")
    shops(storm, "W5 W6 W7 W8", "Kansai")
    carrier = storm.fleet.group("Kitanet", *(terminal for shop in west.values() for terminal in shop))

    lose(storm, west)

    assert (wide().group, wide().site_count) == (carrier, 4)
    assert wide().title == "Group Kitanet: 4 sites, 12 of 12 terminals offline"


def test_its_title_counts_the_sites_that_are_left_when_alerts_are_moved_out(storm):
    west = shops(storm, "W1 W2 W3 W4", "Kansai")
    lose(storm, west)
    tanaka, titles = people.person("tanaka", of="Operator"), []

    for codes in (["W1", "W2"], ["W3"]):
        theirs = Alert.objects.filter(terminal__site__code__in=codes).values_list("pk", flat=True)
        move_out(wide(), list(theirs), by=tanaka, comment="", at=storm.scheduler.at)
        titles.append(wide().title)

    assert titles == [
        "Region Kansai: 2 sites, 6 of 12 terminals offline",
        "Region Kansai: 1 site, 3 of 12 terminals offline",
    ]


def test_an_incident_of_a_deleted_group_keeps_its_name_and_its_scope(storm):
    west = shops(storm, "W1 W2 W3 W4", "Kansai")
    shops(storm, "W5 W6 W7 W8", "Kansai")
    carrier = storm.fleet.group("Kitanet", *(terminal for shop in west.values() for terminal in shop))
    lose(storm, west)
    lost, other = (
        frozenset(Site.objects.filter(code__in=codes).values_list("pk", flat=True)) for codes in (west, ["W5"])
    )

    carrier.delete()

    assert wide().title == "Group Kitanet: 4 sites, 12 of 12 terminals offline"
    assert Incident.objects.unresolved().filter(incidents_named("kitanet")).get() == wide()
    assert within(Incident.objects.unresolved(), Scope(sites=lost)).count() == 1
    assert not within(Incident.objects.unresolved(), Scope(sites=other)).exists()
    storm.bring_back(west["W1"])
    assert wide().open_count == 9


def test_sites_of_several_regions_are_an_incident_of_the_fleet(storm):
    west, east = shops(storm, "W1 W2 W3", "Kansai"), shops(storm, "E1 E2 E3", "Kanto")

    lose(storm, west | east)

    assert wide().title == "Whole fleet: 6 sites, 18 of 18 terminals offline"


@pytest.mark.parametrize(("lost", "others"), [(3, 0), (4, 10)])
def test_a_few_sites_stay_incidents_of_their_own(storm, lost, others):
    """Fewer than four, or less than half of the sites."""
    found = shops(storm, " ".join(f"W{number}" for number in range(lost)), "Kansai")
    shops(storm, " ".join(f"X{number}" for number in range(others)), "Kansai")

    lose(storm, found)

    assert Incident.objects.unresolved().filter(site=None).count() == 0
    assert Incident.objects.unresolved().count() == lost


def test_only_sites_that_can_be_lost_as_a_site_count_for_the_share(storm, fleet):
    """A site with fewer terminals than the rule of sites needs, and one that was never seen, cannot."""
    lost, _ = shops(storm, "W1 W2 W3 W4", ""), shops(storm, "E1 E2 E3", "")
    storm.shop("HERE", 1)
    for code in ("NEW1", "NEW2"):
        for _ in range(3):
            fleet.terminal(site=fleet.site(code))

    lose(storm, lost)

    assert wide().title == "Whole fleet: 4 sites, 12 of 28 terminals offline"


def test_sites_that_are_lost_one_after_another_are_one_incident(storm):
    found = shops(storm, "W1 W2 W3 W4 W5 W6 W7", "")
    for code in ("W1", "W2", "W3", "W4", "W5"):
        storm.lose(found[code], seconds=13)
    assert (wide().site_count, Incident.objects.unresolved().count()) == (5, 1)

    storm.lose(found["W6"], seconds=13)

    assert (wide().site_count, Incident.objects.unresolved().count()) == (6, 1)


def test_sites_that_are_lost_later_join_with_all_that_follows_there(storm):
    west = shops(storm, "W1 W2 W3 W4 W5", "Kansai")
    late = west.pop("W5")
    extra = storm.shop("W1", 1)
    lose(storm, west)

    storm.lose(late)
    storm.lose(extra, seconds=5)

    assert (wide().site_count, wide().lost, wide().joined_count) == (5, 16, 16)
    assert Incident.objects.unresolved().count() == 1


@pytest.mark.parametrize(
    ("contract", "state", "number_open", "last"),
    [
        (Contract.RECOVERY, "acknowledged", 0, [("joined", 3)]),
        (Contract.WORSE, "open", 3, [("joined", 3), ("undone", 0)]),
    ],
)
def test_a_site_that_is_lost_later_joins_an_acknowledgement_or_ends_it(storm, contract, state, number_open, last):
    west = shops(storm, "W1 W2 W3 W4 W5", "Kansai")
    late = west.pop("W5")
    lose(storm, west)
    tanaka = people.person("tanaka", of="Operator")
    correlation.acknowledge(wide(), by=tanaka, comment="", at=storm.scheduler.at, contract=contract)

    storm.lose(late)

    assert wide().state == state
    assert transitions_of(wide())[-len(last) :] == last
    assert Alert.objects.unacknowledged().filter(incident=wide()).count() == number_open


def test_what_follows_at_a_site_joins_the_incident_that_its_region_was_merged_into(storm):
    west, east = shops(storm, "W1 W2 W3 W4", "Kansai"), shops(storm, "E1", "Kanto")
    extra = storm.shop("W1", 1)
    lose(storm, west)
    lose(storm, east)
    into = Incident.objects.unresolved().get(site__code="E1")
    merge([wide()], into, by=people.person("tanaka", of="Operator"), comment="", at=storm.scheduler.at)

    storm.lose(extra, seconds=5)

    assert Incident.objects.unresolved().get() == into
    assert Alert.objects.get(terminal=extra[0]).incident == into


def test_it_is_resolved_when_all_terminals_are_back(storm):
    west = shops(storm, "W1 W2 W3 W4", "Kansai")
    lose(storm, west)
    incident = wide()

    storm.bring_back([terminal for shop in west.values() for terminal in shop], seconds=10)

    incident.refresh_from_db()
    assert incident.state == "resolved"


def test_only_the_one_incident_escalates_and_its_parts_notify_no_recovery(storm):
    Policy.objects.create(name="All")
    west = shops(storm, "W1 W2 W3 W4", "Kansai")
    lose(storm, west)

    outbox.advance(storm.scheduler.at)
    outbox.advance(storm.scheduler.at)

    due = Escalation.objects.exclude(due_at=None).exclude(incident=None)
    assert {row.incident_id for row in due} <= {wide().pk}
    assert Escalation.objects.filter(incident=wide()).exists()


def test_people_of_its_region_see_it_and_others_only_their_alerts(storm, client):
    west, east = shops(storm, "W1 W2 W3", "Kansai"), shops(storm, "E1 E2 E3", "Kanto")
    lose(storm, west | east)
    person = people.person("west", of=None)
    people.grant(person, "Operator", region="Kansai")
    client.force_login(person)

    assert client.get(wide().get_absolute_url()).status_code == 404
    assert HtmlPage(client.get("/incidents/")).rows("incident-") != [f"incident-{wide().pk}"]
    assert f"incident-{wide().pk}" not in client.get("/incidents/").content.decode()


def test_a_part_leads_to_the_incident_that_goes_on(storm, client):
    lose(storm, shops(storm, "W1 W2 W3 W4", "Kansai"))
    client.force_login(people.person("tanaka", of="Operator"))
    part = wide().parts.earliest("pk")

    seen = HtmlPage(client.get(part.get_absolute_url()))

    assert wide().get_absolute_url() in seen.links()
    assert "Merged into incident" in seen.text(f"incident-{part.pk}")
    assert "Region Kansai" in HtmlPage(client.get("/incidents/?factor=region")).text(f"incident-{wide().pk}")
