"""Every operation of the API, called with valid and invalid input, answers as described."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import product
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from schemathesis import APIOperation, Case, GenerationMode

from tests.hostile import calls
from tests.support.builders import now
from tests.support.notifications.webhook_receiver import WebhookReceiver, run_receiver
from tests.support.rest import ApiClient
from tms.accounts import api_tokens
from tms.main.api_v1 import api
from tms.notifications.models.destination import Destination

EXAMPLES = 4
"""Calls of each operation, valid and invalid."""
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def caller(boss, settings) -> ApiClient:
    settings.API_BURST = settings.API_PER_MINUTE = 10_000_000
    return ApiClient(api_tokens.issue(boss, name="fuzz", at=now())[1])


@pytest.fixture
def receiver(settings) -> Iterator[WebhookReceiver]:
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.1")]
    yield from run_receiver()


@pytest.fixture
def sink(everything, receiver) -> None:
    """Requests to destinations go to this machine only."""
    hook = Destination.objects.get(kind="webhook")
    hook.set_address(receiver.url)
    hook.save()


@pytest.mark.django_db
def test_every_operation_answers_as_described_for_any_input(caller, everything, sink):
    described = Described(api.get_openapi_schema())
    operations = [found.ok() for found in schemathesis.openapi.from_dict(described.description).get_all_operations()]
    statuses: Counter[int] = Counter()

    for operation, mode in product(operations, GenerationMode):
        call(operation, mode, everything, caller, described, statuses)

    assert len(operations) > 70
    assert statuses.total() > len(operations) * EXAMPLES
    assert statuses[200] > 50
    assert statuses[401] == 0


def call(
    operation: APIOperation,
    mode: GenerationMode,
    names: Mapping[str, str],
    caller: ApiClient,
    described: "Described",
    statuses: Counter[int],
) -> None:
    @BOUNDED
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def one(case: Case, is_about_something: bool) -> None:
        path = filled(operation.path, names) if is_about_something else case.formatted_path
        answer = send(caller, case, path)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (case.method, path, case.body, answer.content)
        described.check(case.method, operation.path, answer)

    one()


class Described:
    """The description of a response."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self._components = {"components": description["components"]}
        self._validators: dict[tuple[str, str, int], Validator] = {}
        """Validators of each response, made once: to check the schema itself takes longer than to check a response."""

    def check(self, method: str, path: str, answer: HttpResponse) -> None:
        responses = self.description["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in responses, (method, path, answer.status_code, answer.content)
        content = responses[str(answer.status_code)].get("content")
        if content is None:
            assert answer.content == b""
            return
        [(media, described)] = content.items()
        if media == "*/*":
            return
        assert answer["content-type"].startswith(media)
        which = (method, path, answer.status_code)
        if which not in self._validators:
            self._validators[which] = validator(described["schema"] | self._components)
        self._validators[which].validate(answer.json())


def validator(schema: dict[str, Any]) -> Validator:
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def filled(path: str, names: Mapping[str, str]) -> str:
    """The path of an existing object."""
    for before, name in names.items():
        path = re.sub(rf"^(/api/v1{before}){{\w+}}", rf"\g<1>{name}", path)
    return re.sub(r"{\w+}", "1", path)


def send(caller: ApiClient, case: Case, path: str) -> HttpResponse:
    """Nothing persists."""
    with transaction.atomic():
        answer = calls.call(caller, case, path)
        transaction.set_rollback(True)
    return answer
