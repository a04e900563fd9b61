"""Sequences of calls of the API that manage a fleet, by people with each role, answer as described.

A longer run: `FUZZ_EXAMPLES=500 python -m pytest tests/hostile/test_api_sequences.py`.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from requests import Request
from schemathesis import Case, Response

from tests.hostile import calls
from tests.support import people
from tests.support.rest import ApiClient
from tms.accounts.models import User
from tms.main.api_v1 import api

BOUNDED = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "6")),
    stateful_step_count=12,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OF_FLEET = "^/api/v1/(regions|sites|terminals|devices|groups|enrolment-tokens)"
ROLES = ("Viewer", "Operator", "Lead", "Administrator")
INSIDE = {
    ("make_region", "make_site"): {"region": "name"},
    ("make_site", "make_terminal"): {"site": "code"},
    ("make_site", "make_device"): {"site": "code"},
    ("make_site", "make_enrolment_token"): {"site": "code"},
}
"""Fields of a body that name what another operation created."""


EXISTING: Mapping[str, tuple[str, ...]] = {"site": ("SJK", "OSK"), "region": ("Kanto", "Kansai")}


def description() -> dict[str, Any]:
    """The description with further links: to rows that a list shows, and in bodies."""
    described = json.loads(json.dumps(api.get_openapi_schema()))
    created = {}
    for operations in described["paths"].values():
        made = operations.get("post", {})
        if "201" in made.get("responses", {}):
            created[made["operationId"]] = made["responses"]["201"]
            if listed := operations.get("get"):
                listed["responses"]["200"]["links"] = of_list(made["responses"]["201"].get("links", {}))
    for (source, target), fields in INSIDE.items():
        body = {name: f"$response.body#/{field}" for name, field in fields.items()}
        created[source].setdefault("links", {})[target] = {"operationId": target, "requestBody": body}
    return described


def of_list(links: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(links).replace("$response.body#/", "$response.body#/items/0/"))


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return description()


def machine(described: dict[str, Any], caller: ApiClient, statuses: Counter[tuple[str, int]]) -> type:
    """Calls of one person. Nothing of one sequence is left in the next."""
    schema = schemathesis.openapi.from_dict(described).include(path_regex=OF_FLEET)
    schema.config.phases.stateful.inference.algorithms = []

    class Sequence(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self._undone = transaction.atomic()
            self._undone.__enter__()
            self.answers: list[bytes] = []

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self._undone.__exit__(None, None, None)

        def before_call(self, case: Case) -> None:
            """More than luck names what exists, and the version of it."""
            for name in EXISTING.keys() & (case.body if isinstance(case.body, dict) else {}).keys():
                if str(case.body[name]) not in str(self.answers):
                    case.body[name] = EXISTING[name][len(str(case.body)) % 2]
            if "If-Match" in (case.headers or {}) and len(str(case.body)) % 2:
                case.headers["If-Match"] = "*"

        def call(self, case: Case, **_: Any) -> Response:
            answer = calls.call(caller, case, case.formatted_path)
            request = Request(case.method, f"http://testserver{case.formatted_path}").prepare()
            self.answers.append(answer.content)
            headers = {name: [value] for name, value in answer.items()}
            return Response(answer.status_code, headers, answer.content, request, 0.0, verify=False)

        def validate_response(self, response: Response, case: Case, **_: Any) -> None:
            operation = case.operation.definition.raw["operationId"]
            statuses[operation, response.status_code] += 1
            assert response.status_code < 500, (operation, case.body, response.content)
            assert str(response.status_code) in case.operation.definition.raw["responses"], (operation, response)

    return Sequence


def person_of(role: str, region: str = "") -> User:
    chosen = people.person(f"{role.lower()}-{region}", of=None)
    people.grant(chosen, role, **({"region": region} if region else {}))
    return chosen


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "region"), [*((role, "") for role in ROLES), ("Lead", "Kanto")])
def test_any_sequence_of_calls_answers_as_described(fleet, described, settings, role, region):
    settings.API_BURST = settings.API_PER_MINUTE = 10_000_000
    fleet.terminal(site=fleet.site("SJK", region="Kanto"))
    fleet.terminal(site=fleet.site("OSK", region="Kansai"))
    caller = ApiClient.of(person_of(role, region))
    statuses: Counter[tuple[str, int]] = Counter()

    run_state_machine_as_test(machine(described, caller, statuses), settings=BOUNDED)

    assert statuses.total() > 2 * BOUNDED.max_examples
    assert not any(status == 401 for _, status in statuses)


def test_what_is_created_links_to_what_may_be_done_with_it(described):
    links = described["paths"]["/api/v1/terminals"]["post"]["responses"]["201"]["links"]

    assert links["rotate_keys"] == {"operationId": "rotate_keys", "parameters": {"uid": "$response.body#/uid"}}
    assert "read_terminal" in links
