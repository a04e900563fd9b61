"""The description of the API says what the API does."""

import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.conftest import problem
from tests.api.test_alerts import opened  # noqa: F401  (a fixture)

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def description(client) -> dict[str, Any]:
    return client.get("/api/v1/openapi.json").json()


def operations(description: dict[str, Any]):
    for path, there in description["paths"].items():
        for method, operation in there.items():
            if method in METHODS:
                yield path, method, operation


@pytest.mark.django_db
def test_it_is_valid_openapi(description):
    OpenAPIV31SpecValidator(description).validate()

    assert description["openapi"].startswith("3.1")


@pytest.mark.django_db
def test_every_operation_has_a_name_of_its_own_a_summary_and_its_refusals(description):
    names = [operation["operationId"] for _, _, operation in operations(description)]

    assert len(names) == len(set(names)) > 20
    for path, method, operation in operations(description):
        assert operation["summary"], (path, method)
        assert operation["security"] == [{"Bearer": []}], (path, method)
        assert {"401", "429"} <= operation["responses"].keys(), (path, method)
        assert ("404" in operation["responses"]) == ("{" in path), (path, method)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


@pytest.mark.django_db
def test_what_may_be_sent_twice_says_so(description):
    posts = [operation for _, method, operation in operations(description) if method == "post"]
    keyed = [one for one in posts if any(known["name"] == "Idempotency-Key" for known in one.get("parameters", ()))]

    assert {"acknowledge_alert", "snooze_alerts"} <= {one["operationId"] for one in keyed}
    assert all("409" in one["responses"] for one in keyed)


@pytest.mark.django_db
def test_it_needs_no_token(client):
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert problem(client.post("/api/v1/openapi.json")) == (405, "tms:unknown-method")


class Described:
    """Finds what the description says of an answer."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.paths = {
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))): there
            for path, there in description["paths"].items()
        }

    def check(self, method: str, path: str, answer: Any) -> None:
        there = next(there for pattern, there in self.paths.items() if pattern.fullmatch(path))
        told = there[method.lower()]["responses"][str(answer.status_code)]
        [(media, content)] = told["content"].items()
        assert answer["content-type"].startswith(media)
        schema = content["schema"] | {"components": self.description["components"]}
        jsonschema.validate(answer.json(), schema)
