"""What a board shows of terminals that were lost just now. No database."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, later
from tms.alerts.correlation.forming import NOTHING, FormingIncident, SiteIncident, UndecidedAlerts, forming


def alerts(site: int, seconds: float, number: int = 1, *, rule: int = 1, severity: str = "critical") -> UndecidedAlerts:
    """Opened `seconds` before."""
    return UndecidedAlerts(site, rule, "PX-300", "1.0", severity, AT - timedelta(seconds=seconds), number)


def incident(pk: int, site: int, seconds: float) -> SiteIncident:
    return SiteIncident(pk, site, "critical", AT - timedelta(seconds=seconds), 29)


def shown(found: FormingIncident) -> tuple[dict[int, int], list[int]] | None:
    """Terminals by site and incidents; None without a row."""
    return (dict(found.sites), sorted(found.merged)) if found.is_shown else None


@pytest.mark.parametrize(
    ("undecided", "incidents", "expected"),
    [
        ([], [], None),
        # A single terminal is no row; it waits until it stands alone.
        ([alerts(1, 1)], [], None),
        ([alerts(1, 6)], [], None),
        # From the second one on, also at different sites.
        ([alerts(1, 1, 2)], [], ({1: 2}, [])),
        ([alerts(1, 4), alerts(1, 1)], [], ({1: 2}, [])),
        ([alerts(1, 2), alerts(2, 1)], [], ({1: 1, 2: 1}, [])),
        # Two rules have an alert each for the same terminals.
        ([alerts(1, 1, 3), alerts(1, 1, 3, rule=2)], [], ({1: 3}, [])),
        # While a site grows, its earlier alerts are undecided too; after five seconds without growth they are decided.
        ([alerts(1, 12), alerts(1, 8), alerts(1, 4)], [], ({1: 3}, [])),
        ([alerts(1, 12), alerts(1, 8), alerts(1, 5)], [], None),
        ([alerts(1, 12, 5), alerts(2, 1, 2)], [], ({2: 2}, [])),
        # The incident of one site is its own row; those of several sites are one row for a while.
        ([], [incident(7, 1, 1)], None),
        ([], [incident(7, 1, 15), incident(8, 2, 2)], ({}, [7, 8])),
        ([], [incident(7, 1, 45), incident(8, 2, 27), incident(9, 3, 10)], ({}, [7, 8, 9])),
        ([], [incident(7, 1, 40), incident(8, 2, 21)], None),
        ([], [incident(7, 1, 40), incident(8, 2, 2)], None),
        ([], [incident(pk, pk, 16 * pk) for pk in range(1, 6)], ({}, [1, 2, 3])),
        ([alerts(2, 1, 2)], [incident(7, 1, 10)], ({2: 2}, [7])),
        # A single terminal elsewhere does not take the row of an incident away.
        ([alerts(2, 1)], [incident(7, 1, 10)], None),
    ],
)
def test_what_is_one_row(undecided, incidents, expected):
    assert shown(forming(undecided, incidents, {}, {}, at=AT)) == expected


def test_its_severity_is_the_worst_and_it_began_with_its_first_terminal():
    found = forming([alerts(1, 3, severity="warning"), alerts(1, 1)], [], {}, {}, at=AT)

    assert (found.severity, found.opened_at) == ("critical", later(-3))


@pytest.mark.parametrize(
    ("since", "site", "is_hidden"),
    [(-1, 2, True), (-6, 2, False), (-6, 1, True), (-31, 1, False), (None, 1, False)],
)
def test_alerts_of_growing_sites_are_hidden_for_half_a_minute_at_most(since, site, is_hidden):
    found = forming([alerts(1, 8), alerts(1, 1)], [], {}, {}, at=AT)

    assert found.hides(None if since is None else later(since), site, at=AT) is is_hidden


def test_without_a_wait_nothing_forms(settings):
    settings.CORRELATION_WAIT_S = 0

    assert forming([alerts(1, 0, 9)], [incident(7, 2, 0), incident(8, 3, 0)], {}, {}, at=AT) == NOTHING
