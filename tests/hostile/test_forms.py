"""No form of TMS answers 500 for any input. A longer run is that of `FUZZ_EXAMPLES=2000`."""

import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
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
OF_FLEET = (
    "/sites/",
    "/regions/",
    "/terminals/",
    "/groups/",
    "/labels/",
    "/enrol/",
    "/import/",
    "/devices/",
    "/destinations/",
)
LEAST_FLEET_FORMS = 40
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "120"))

LONE_SURROGATE = b"a\xed\xa0\x80b"
NUMBERS = st.sampled_from(
    ["-1", "0", "1", str(2**31), str(2**63), "9" * 5_000, "1e999", "nan", "٣", " 1 ", "0x1", "1.5"]
)
INSTANTS = st.sampled_from(["2026-02-30", "9999-12-31T23:59:59", "0001-01-01T00:00", "25:61", "24h", "10-20,=", "P1D"])
CHOSEN = st.sampled_from(["in_service", "retired", "spare", "JP", "Asia/Tokyo", "SJK", "SJK,SJK", "T-1", "R-1\nT-1"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
ODD_TEXTS = st.sampled_from(
    ["a\0b", LONE_SURROGATE, b"\xff\xfe", "\u202ea\u2028", "x" * 70_000, "=1+1", "../..", "", "\r\n"]
)
VALUES: st.SearchStrategy[str | bytes] = st.one_of(NUMBERS, INSTANTS, CHOSEN, TEXTS, ODD_TEXTS)
FILES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"\xef\xbb\xbfuid\n", b"PK\x03\x04broken", b"uid,label\nT-1,\x00\n", "端末".encode("shift_jis")]
    ),
    st.builds(lambda rows: "\n".join(map(",".join, rows)).encode(), st.lists(st.lists(TEXTS, max_size=4), max_size=4)),
)


@pytest.fixture(scope="module")
def found(made) -> list[Form]:
    client = Client()
    people.sign_in_recently(client, made.boss)
    return walk.forms(client, walk.addresses(made.names))


@pytest.fixture
def forms(found, monkeypatch) -> list[Form]:
    monkeypatch.setattr(views, "send_test", lambda _: SendResult.delivered("not sent"))
    return found


@pytest.fixture
def fleet_forms(forms, fleet_addresses) -> list[Form]:
    """The forms of the fleet, and addresses that take a POST without one."""
    return [form for form in forms if form.action.startswith(OF_FLEET)] + fleet_addresses


@pytest.fixture(scope="module")
def fleet_addresses(found, made) -> list[Form]:
    client = people.signed_in(made.boss)
    routes = {resolve(form.action.partition("?")[0]).route for form in found}
    addresses = [address for address in walk.addresses(made.names) if address.startswith(OF_FLEET)]
    bare = [Form(address) for address in addresses if resolve(address).route not in routes]
    return [form for form in bare if _post(client, form.action, {}).status_code not in {404, 405}]


def _post(client: Client, action: str, fields: dict[str, Any], file: tuple[str, bytes] | None = None) -> Any:
    """Nothing persists."""
    with transaction.atomic():
        if file is None:
            body = urlencode(fields, doseq=True)
            answer = client.post(action, body, content_type="application/x-www-form-urlencoded")
        else:
            name, data = file
            answer = client.post(action, fields | {name: SimpleUploadedFile("rows.csv", data)})
        transaction.set_rollback(True)
    return answer


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


@pytest.mark.both
@settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_a_form_of_the_fleet_accepts_or_rejects_anything(client_of_boss, fleet_forms, data):
    assert len(fleet_forms) >= LEAST_FLEET_FORMS
    form = data.draw(st.sampled_from(fleet_forms))
    names = form.hostile_fields or ["unknown"]
    changed = data.draw(st.dictionaries(st.sampled_from(names), st.lists(VALUES, max_size=3), min_size=1, max_size=3))
    is_file = data.draw(st.integers(0, 4)) == 0
    file = (data.draw(st.sampled_from(names)), data.draw(FILES)) if is_file else None
    valid: dict[str, Any] = {name: list(values) for name, values in form.fields.items()}

    answer = _post(client_of_boss, form.action, valid | changed, file)

    assert answer.status_code < 500, (form.action, changed, file)
