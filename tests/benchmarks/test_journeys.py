"""The journeys without a browser: what people click and read on them is on the pages of a new demo."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from benchmarks.journeys.__main__ import as_table
from benchmarks.journeys.change_elements import Change
from benchmarks.journeys.demo import COLLEAGUES_NAME, SITE, USERNAME
from benchmarks.journeys.elements import AFTERWARDS, Element, Where
from benchmarks.journeys.many_elements import Many
from benchmarks.journeys.setup_elements import Setup
from benchmarks.journeys.walker import StepResult
from tests.support.pages import HTMX_HEADERS
from tests.support.people import signed_in
from tms.accounts.models import User
from tms.accounts.people.invitations import services as invitations
from tms.alerts.models import Alert, AlertState, Incident
from tms.demo.breaking import client
from tms.demo.seed import seed

TERMINALS = 56
TEXT = {"site": SITE, "person": "", "text": "", "query": "", "fault": "jam-reader", "name": "", "state": "", "path": ""}


@pytest.fixture
def demo(default_rules: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the URLs and elements of a new demo contain."""
    seed(TERMINALS, path=tmp_path / "fleet.json", machine="desk")
    client.enable(tmp_path / "demo.sock")
    waiting = Alert.objects.get(state=AlertState.OPEN)
    demo_user = User.objects.get(username=USERNAME)
    _invitation, key = invitations.invite("a@noc.example", language="en", by=demo_user, at=timezone.now())
    yield {
        "code": waiting.terminal.site.code,
        "incident": str(Incident.objects.unresolved().get().pk),
        "past": str(Incident.objects.exclude(resolved_at=None).latest("pk").pk),
        "alert": str(waiting.pk),
        "uid": waiting.terminal.uid,
        "key": key,
    }
    client.disable()


@pytest.fixture
def page_of(demo: dict[str, str]) -> Callable[[Where], html.HtmlElement]:
    browser, visitor = signed_in(User.objects.get(username=USERNAME)), Client()

    @cache
    def document(address: str, is_dialog: bool) -> html.HtmlElement:
        is_public = address.startswith(("/sign-in/", "/invitation/"))
        answer = (visitor if is_public else browser).get(address, headers=HTMX_HEADERS if is_dialog else {})
        assert answer.status_code == 200, address
        return html.document_fromstring(answer.content.decode())

    return lambda where: document(where.page.format(**demo), where.is_dialog)


@pytest.mark.django_db
def test_every_element_of_the_journeys_is_on_its_page(demo, page_of):
    there = [element for element in (*Element, *Many, *Change, *Setup) if element.value.page != AFTERWARDS]

    missing = [element for element in there if not page_of(element.value).xpath(element.xpath(**TEXT, **demo))]

    assert [element.name for element in missing] == []
    assert COLLEAGUES_NAME in page_of(Element.ASSIGNEE.value).xpath(f"string({Element.ASSIGNEE.xpath()})")


def test_the_table_adds_up_clicks_keys_and_the_time_that_a_person_takes():
    results = [StepResult("Sign in", clicks=1, keys=10, fields=2, seconds=1.0), StepResult("Wait", seconds=90.0)]

    rows = as_table(results).splitlines()[2:]

    assert rows == [
        "| Sign in | 1 | 2 | 10 | 1.0 | 6 |",
        "| Wait | 0 | 0 | 0 | 90.0 | 90 |",
        "| **all** | 1 | 2 | 10 | 91.0 | 96 |",
    ]
