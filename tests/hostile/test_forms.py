"""No form of TMS answers 500 for any input."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import walk
from tests.hostile.walk import Form
from tests.support import people
from tms.notifications.destinations import views
from tms.notifications.transports.result import SendResult

HOSTILE: Mapping[str, str | bytes] = {
    "2^63": str(2**63),
    "5000 digits": "9" * 5_000,
    "U+0000": "a\0b",
    "surrogate": b"a\xed\xa0\x80b",
    "100 KB": "x" * 100_000,
}
ODD: Mapping[str, str | bytes] = {
    **HOSTILE,
    "port": "https://example.com:99999/",
    "below": str(-(2**63) - 1),
    "nan": "nan",
    "1e999": "1e999",
    "last": "9999-12-31T23:59:59",
    "first": "0001-01-01T00:00",
    "bracket": "https://[::1/",
    "path": "../../etc/passwd",
    "recurrence": "FREQ=SECONDLY;INTERVAL=0;COUNT=99999999999999999999",
    "template": "%s %(x)s {0} {{ 7 }}",
    "not UTF-8": b"\xff\xfe",
    "empty": "",
}
LEAST_FORMS, LEAST_FIELDS = 80, 350
"""Fewer would mean that the walk does not find them."""


@pytest.fixture(scope="module")
def found(made) -> list[Form]:
    client = Client()
    people.sign_in_recently(client, made.boss)
    return walk.forms(client, walk.addresses(made.names))


@pytest.fixture
def forms(found, monkeypatch) -> list[Form]:
    monkeypatch.setattr(views, "send_test", lambda _: SendResult.delivered("not sent"))
    return found


def send(client: Client, form: Form, hostile: Mapping[str, Any]) -> HttpResponse:
    """Send a form as a browser does. Nothing persists, including the sign-out."""
    cookies = client.cookies.copy()
    body = urlencode(form.fields | {name: [value] for name, value in hostile.items()}, doseq=True)
    with transaction.atomic():
        answer = client.post(form.action, body, content_type="application/x-www-form-urlencoded")
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def packed(form: Form) -> Iterator[dict[str, str | bytes]]:
    """Each hostile value once in each field, in as few requests as there are values; one if there is no field."""
    values = list(HOSTILE.values())
    for turn in range(len(values) if form.hostile_fields else 1):
        yield {name: values[(turn + position) % len(values)] for position, name in enumerate(form.hostile_fields)}


@pytest.mark.services
def test_every_form_accepts_or_rejects_every_hostile_value_in_every_field(client_of_boss, forms):
    assert len(forms) >= LEAST_FORMS
    assert sum(len(form.hostile_fields) for form in forms) >= LEAST_FIELDS

    for form in forms:
        for hostile in packed(form):
            answer = send(client_of_boss, form, hostile)
            assert answer.status_code < 500, (form.action, {name: value[:30] for name, value in hostile.items()})


@pytest.mark.both
@settings(
    max_examples=100, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_one_hostile_value_in_an_otherwise_valid_form(client_of_boss, forms, data):
    """The other fields are valid, so that the value reaches the code that saves the form."""
    form = data.draw(st.sampled_from([form for form in forms if form.hostile_fields]))
    name, value = data.draw(st.sampled_from(form.hostile_fields)), data.draw(st.sampled_from(sorted(ODD)))

    answer = send(client_of_boss, form, {name: ODD[value]})

    assert answer.status_code < 500, (form.action, name, value)


@pytest.mark.both
@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("sites", "Unknown sites: {}"),
        *((name, "{} is not one of the available choices") for name in ("groups", "rules")),
        *((f"steps-0-{name}", "{} is not one of the available choices") for name in ("destinations", "rotations")),
    ],
)
def test_an_id_out_of_range_is_named_in_the_error(client_of_boss, field, error):
    steps = {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0"}

    answer = client_of_boss.post("/policies/new/", {"name": "P", field: str(2**63), **steps})

    assert answer.status_code == 422
    assert error.format(2**63) in answer.content.decode()
