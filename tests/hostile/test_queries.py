"""No page answers 500 for any query."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import walk
from tests.support import inventory
from tests.support.builders import now
from tests.support.pages import HTMX_HEADERS
from tms.boards.pages import RenderContext, page_at

ASKED = r'(?:GET|query)(?:\.get(?:list)?\(|,)\s*"(\w+)"'
NAMES = sorted(inventory.found_in_code(ASKED) | {"at", "limit", "p", "all"})
"""All query parameters of pages."""
HOSTILE = {
    "2^63": str(2**63),
    "5000 digits": "9" * 5_000,
    "U+0000": "a%00b",
    "surrogate": "a%ED%A0%80b",
    "not UTF-8": "%FF%FE",
    "4 KB": "x" * 4_096,
    "cursor": "2026-11-27T09:00:00+00:00~" + str(2**63),
    "cursor with U+0000": "0~a%00b~T-1%00~" + str(2**63),
    "last": "9999-12-31T23:59:59",
    "first": "0001-01-01T00:00:00",
    "first with an offset": "0001-01-01T00:00:00%2B14:00",
    "last with an offset": "9999-12-31T23:59:59-14:00",
    "no day": "2026-02-30T25:61",
    "zone": "../../etc/passwd",
    "zone with U+0000": "Asia%00",
    "folder": "Asia",
    "nan": "nan",
    "template": "%25s%20%7B0%7D%20%7B%7B%207%20%7D%7D%5B%5B",
    "Arabic digits": "%D9%A3",
    "one": "1",
}
"""Encoded for a URL."""
BEYOND = ("since=2026-01-01T00:00&until=9999-12-31T23:59", "since=0001-01-01T00:00%2B00:00&zone=America/New_York")
"""Periods that a day more, or other clocks, would move out of the calendar of Python."""


async def consume(answer: Any) -> None:
    """Forces lazy errors."""
    async for _ in answer:
        pass


def answered(client: Client, address: str, query: str, **headers: str) -> HttpResponseBase:
    """Nothing persists."""
    with transaction.atomic():
        answer = client.get(f"{address}?{query}", headers=headers)
        if answer.streaming:
            async_to_sync(consume)(answer)
        transaction.set_rollback(True)
    return answer


def packed(number: int) -> Iterator[str]:
    """Each hostile value once for each parameter."""
    values = [
        value for name, value in HOSTILE.items() if "U+0000" not in name
    ]  # the value that fails the whole request
    for turn in range(number):
        yield "&".join(f"{name}={values[(turn + position) % len(values)]}" for position, name in enumerate(NAMES))


@pytest.fixture
def pages(everything) -> list[str]:
    return walk.addresses(everything)


@pytest.mark.services
def test_every_page_survives_hostile_values_of_all_parameters(client_of_boss, pages):
    assert len(pages) > 80
    assert {"site", "q", "who", "span", "since", "rule", "deleted", "before"} <= set(NAMES)

    for page in pages:
        for query in packed(4):
            assert answered(client_of_boss, page, query).status_code < 500, (page, query)


@pytest.mark.both
@settings(max_examples=80, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_hostile_query_causes_no_internal_error(client_of_boss, pages, data):
    page = data.draw(st.sampled_from(pages))
    chosen = data.draw(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(HOSTILE)), min_size=1, max_size=3)
    )
    headers = data.draw(st.sampled_from([{}, HTMX_HEADERS, {**HTMX_HEADERS, "HX-Current-URL": "https://[::1/"}]))
    query = "&".join(f"{name}={HOSTILE[value]}" for name, value in chosen.items())

    assert answered(client_of_boss, page, query, **headers).status_code < 500, (page, query)


@pytest.mark.both
@pytest.mark.parametrize(
    ("address", "where"),
    [("/alerts/?q=a%00b", "?q"), ("/terminals/?kind=payment&site=%00", "?site"), ("/terminals/T%00/", "The path")],
)
def test_a_nul_in_a_url_is_refused_with_its_location(client_of_boss, address, where):
    answer = client_of_boss.get(address)

    assert answer.status_code == 400
    assert f"{where} contains the character U+0000 (%00)" in answer.content.decode()


@pytest.mark.both
@pytest.mark.parametrize(
    "address",
    [
        *(
            f"/{page}/?{query}"
            for page in ("digest", "digest/markdown", "digest/send", "alerts/times", "alerts/past", "audit")
            for query in BEYOND
        ),
        "/maintenance/new/?window=" + "9" * 5_000,
    ],
)
def test_values_beyond_the_calendar_and_every_row_are_ignored(client_of_boss, everything, address):
    assert client_of_boss.get(address).status_code == 200


@pytest.mark.both
@pytest.mark.django_db
def test_a_nul_in_the_session_cookie_is_no_session(settings):
    """The U+0000 is in the octal notation of cookies."""
    cookie = rf'{settings.SESSION_COOKIE_NAME}="\000aaaaaaaa"'

    answer = Client().get("/", headers={"Cookie": cookie})

    assert answer["Location"].startswith("/sign-in/")


@pytest.mark.both
@pytest.mark.parametrize("action", ["claim", "comment"])
def test_a_nul_in_a_filter_that_a_form_carries_finds_nothing(client_of_boss, everything, action):
    answer = client_of_boss.post(
        f"/alerts/{action}/", {"all": "1", "q": "a\0b", "site": "\0", "who": "\0", "comment": "x"}
    )

    assert answer.status_code < 500


@pytest.mark.both
@pytest.mark.parametrize(
    "page", ["//[", "/terminals/a\0b/", "/alerts/?q=a%00b", "/alerts/?rule=" + "9" * 5_000, "\0", ""]
)
def test_a_live_page_of_a_hostile_url_is_refused_or_rendered(boss, everything, page):
    live = page_at(page, person=boss)

    assert live is None or live.page_state(RenderContext(now(), live.scope))


@pytest.mark.services
@pytest.mark.parametrize(
    ("address", "days"),
    [("/digest/", 30), ("/digest/markdown/", 30), ("/alerts/times/", 9_000), ("/alerts/past/", 9_000)],
)
def test_a_long_period_costs_no_more_queries(client_of_boss, everything, address, days, django_assert_max_num_queries):
    with CaptureQueriesContext(connection) as usual:
        client_of_boss.get(address)

    with django_assert_max_num_queries(len(usual)):
        answer = client_of_boss.get(address, {"since": f"{now() - timedelta(days=days):%Y-%m-%dT%H:%MZ}"})

    assert answer.status_code == 200
