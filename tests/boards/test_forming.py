"""The first seconds of an outage on boards: one row that becomes the incident, and numbers that only rise."""

import pytest

from tests.support import factories
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Alert, CorrelationRule, Incident
from tms.alerts.models.factor import SITES_TOGETHER
from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.sound_alarms import ScopeAlarms
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.pages import AlertsPage, OverviewPage, RenderContext
from tms.boards.pages.base import PageState
from tms.boards.pages.wall import WallPage
from tms.lib.severity import Severity

pytestmark = [pytest.mark.both, pytest.mark.django_db]


class Watcher:
    """Reads the boards after each step of an outage."""

    def __init__(self, storm, scope: Scope = EVERYTHING) -> None:
        self._storm = storm
        self._scope = scope
        self.rows: list[tuple[str, ...]] = []
        self.badge: list[int] = []
        self.sounds: set[str] = set()
        """Marks of critical alarms, at any time."""
        self.context = self.read()

    def read(self) -> RenderContext:
        self.context = RenderContext(self._storm.scheduler.at, self._scope)
        page = AlertsPage(self._scope, AlertFilter()).page_state(self.context)
        self.rows.append(page.lists["alerts"])
        self.badge.append(self.context.problems.unacknowledged[Severity.CRITICAL])
        alarms = ScopeAlarms(self._scope, census_cache()).load(self.context.at, self.context.forming)
        self.sounds |= set(alarms["critical"].split())
        assert self.badge[-1] == len(self.rows[-1])
        return self.context

    def lose(self, terminals, *, each_s: float) -> None:
        for terminal in terminals:
            self._storm.lose([terminal], seconds=each_s)
            self.read()

    def wait(self, seconds: int) -> None:
        for _ in range(0, seconds, 3):
            self._storm.scheduler.advance(seconds=3, step_s=1)
            self.read()

    @property
    def singles(self) -> set[str]:
        """Rows of single alerts, at any time."""
        return {row for rows in self.rows for row in rows if row.startswith("alert-")}

    @property
    def has_fallen(self) -> bool:
        return self.badge != sorted(self.badge)


def title(page: PageState, row: str) -> str:
    return page.parts[row].values["incident"].title


@pytest.fixture
def watcher(storm) -> Watcher:
    return Watcher(storm)


def test_a_lost_site_is_one_row_from_its_second_terminal_on(storm, watcher):
    shop = storm.shop("UMD", 12)

    watcher.lose(shop, each_s=0.4)

    [incident] = Incident.objects.all()
    assert watcher.rows[:3] == [(), (), ("forming",)]
    assert list(dict.fromkeys(watcher.rows)) == [(), ("forming",), (f"incident-{incident.pk}",)]
    assert not watcher.singles
    assert not watcher.has_fallen
    assert len(watcher.sounds) == 1


def test_the_row_says_how_many_of_how_many(storm, watcher):
    shop = storm.shop("UMD", 12)

    watcher.lose(shop[:5], each_s=0.4)

    for page in (OverviewPage(EVERYTHING), WallPage(EVERYTHING), AlertsPage(EVERYTHING, AlertFilter())):
        state = page.page_state(watcher.context)
        [rows] = [rows for name, rows in state.lists.items() if name in ("incidents", "alerts")]
        assert rows == ("forming",)
        assert title(state, "forming") == "Site UMD: 5 of 12 terminals offline"
        assert state.lasts_s == 1


def test_a_terminal_that_stands_alone_is_shown_after_the_wait(storm, watcher):
    [terminal] = storm.shop("UMD", 12)[:1]

    storm.lose([terminal], seconds=4)
    watcher.read()
    watcher.wait(3)

    alert = Alert.objects.get()
    assert watcher.rows[1:] == [(), (f"alert-{alert.pk}",)]


def test_an_acknowledged_alert_does_not_wait(storm, watcher, fleet):
    terminals = storm.shop("UMD", 12)[:2]
    storm.lose(terminals)
    first = Alert.objects.earliest("pk")

    factories.acknowledged(first, by=fleet.person())
    page = AlertsPage(EVERYTHING, AlertFilter()).page_state(RenderContext(storm.scheduler.at, EVERYTHING))

    assert page.lists["alerts"] == (f"alert-{first.pk}",)


def test_a_few_that_are_no_incident_become_rows_of_their_own(storm, watcher):
    shop = storm.shop("UMD", 12)

    watcher.lose(shop[:2], each_s=1)
    watcher.wait(8)

    assert ("forming",) in watcher.rows
    assert set(watcher.rows[-1]) == {f"alert-{alert.pk}" for alert in Alert.objects.all()}
    assert not watcher.has_fallen


def test_six_sites_are_one_row_before_and_after_it_is_decided(storm, watcher):
    shops = [storm.shop(code, 4) for code in ("UMD", "SJK", "SPR", "NGY", "HKT", "SDJ", "OSK")]

    for terminals in zip(*shops[:6], strict=True):
        watcher.lose(terminals, each_s=0.2)
    watcher.wait(30)

    wide = Incident.objects.unresolved().get()
    assert list(dict.fromkeys(watcher.rows)) == [(), ("forming",), (f"incident-{wide.pk}",)]
    assert not watcher.has_fallen
    assert watcher.badge[-1] == len(watcher.sounds) == 1


def test_five_sites_and_a_sixth_are_one_row(storm, watcher):
    shops = [storm.shop(code, 4) for code in ("UMD", "SJK", "SPR", "NGY", "HKT", "SDJ", "OSK")]

    for shop in shops[:6]:
        watcher.lose(shop, each_s=1)
        watcher.wait(9)

    wide = Incident.objects.unresolved().get()
    assert wide.site_count == 6
    assert max(map(len, watcher.rows)) == 1
    assert watcher.rows[-1] == (f"incident-{wide.pk}",)
    assert not watcher.singles
    assert not watcher.has_fallen


def test_a_site_that_will_be_merged_in_a_moment_is_no_row(storm, watcher, fleet):
    """Correlation opens the incident of the site and merges it in two transactions."""
    for code in ("UMD", "SJK", "SPR", "NGY"):
        storm.lose(storm.shop(code, 4))
    wide, site = Incident.objects.unresolved().get(), fleet.site("HKT")
    at = storm.scheduler.at
    Incident.objects.create(
        factor="site",
        key=str(site.pk),
        site=site,
        severity="critical",
        lost=4,
        size=4,
        opened_at=at,
        changed_at=at,
        unchanged_since=at,
        joined_count=4,
    )

    watcher.read()

    assert (watcher.rows[-1], watcher.badge[-1]) == ((f"incident-{wide.pk}",), 1)


def test_an_alert_that_will_join_an_incident_of_the_row_is_part_of_the_row(storm, watcher):
    """Correlation adds it in a transaction of its own."""
    last = [storm.lose(terminals[:4]) or terminals[4] for terminals in (storm.shop("UMD", 5), storm.shop("SJK", 5))]

    storm.lose(last, seconds=0)
    watcher.read()

    assert Alert.objects.filter(incident=None).count() == 2
    assert (watcher.rows[-1], watcher.badge[-1]) == (("forming",), 1)


def test_two_sites_become_two_incidents_when_no_other_follows(storm, watcher):
    shops = [storm.shop(code, 4) for code in ("UMD", "SJK", "SPR", "NGY", "HKT", "SDJ", "OSK")]

    for shop in shops[:2]:
        watcher.lose(shop, each_s=0.3)
    row = watcher.context.forming_row
    watcher.wait(30)

    assert row is not None
    assert (row.title, len(row.incidents)) == ("2 sites: 8 of 8 terminals offline", 2)
    assert {f"incident-{one.pk}" for one in Incident.objects.unresolved()} == set(watcher.rows[-1])
    assert not watcher.has_fallen
    assert len(watcher.sounds) == 2


def test_sites_that_may_not_be_merged_are_rows_of_their_own_at_once(storm, watcher):
    for factor in SITES_TOGETHER:
        CorrelationRule.objects.create(factor=factor, enabled=False)

    for code in ("UMD", "SJK"):
        storm.lose(storm.shop(code, 4))
    watcher.read()

    assert set(watcher.rows[-1]) == {f"incident-{one.pk}" for one in Incident.objects.all()}


def test_a_firmware_that_fails_everywhere_is_one_row(storm, watcher):
    codes = [f"S{number}" for number in range(12)]
    for code in codes:
        storm.shop(code, 5, model="Old", firmware="1")
    failing = [storm.shop(code, 1, model="Old", firmware="2")[0] for code in codes]

    watcher.lose(failing, each_s=0.3)
    watcher.wait(10)

    [incident] = Incident.objects.all()
    assert list(dict.fromkeys(watcher.rows)) == [(), ("forming",), (f"incident-{incident.pk}",)]
    assert not watcher.has_fallen


def test_people_of_one_site_see_only_its_part(storm, fleet):
    shops = [storm.shop(code, 4) for code in ("UMD", "SJK")]
    watcher = Watcher(storm, Scope(sites=frozenset({fleet.site("UMD").pk})))

    for terminals in zip(*shops, strict=True):
        watcher.lose(terminals, each_s=0.1)

    [umeda] = Incident.objects.filter(site__code="UMD")
    assert list(dict.fromkeys(watcher.rows)) == [(), ("forming",), (f"incident-{umeda.pk}",)]
