"""A client of the REST API, and its problem documents."""

import json
from typing import Any, Self

from django.http import HttpResponse
from django.test import Client

from tests.support import people
from tests.support.builders import now
from tms.accounts import api_tokens
from tms.accounts.models import User


class ApiClient:
    """Another system, with a token; it has no cookies."""

    def __init__(self, secret: str) -> None:
        self._client = Client(enforce_csrf_checks=True)
        self.headers = {"Authorization": f"Bearer {secret}"}

    @classmethod
    def of(cls, person: User) -> Self:
        """Calls with a token that this person issued."""
        return cls(api_tokens.issue(person, name="a script", at=now())[1])

    def get(self, path: str, query: Any = None, **headers: str) -> HttpResponse:
        return self._client.get(at(path), query, headers=self.headers | named(headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._client.generic(
            method, at(path), data, content_type="application/json", headers=self.headers | named(headers)
        )

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)


def operator_client() -> ApiClient:
    return ApiClient.of(people.person("aiko", of="Operator"))


def superuser_client() -> ApiClient:
    return ApiClient.of(User.objects.create(username="boss", is_superuser=True))


def at(path: str) -> str:
    return path if path.startswith(("/api/", "http")) else f"/api/v1{path}"


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def problem_of(answer: HttpResponse) -> tuple[int, str]:
    """Status and type; the document repeats its status."""
    assert answer["content-type"] == "application/problem+json", answer.content
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    return answer.status_code, document["type"]


def invalid_fields(answer: HttpResponse) -> list[str]:
    """The location of an error in a request."""
    assert problem_of(answer) == (422, "tms:bad-request"), answer.content
    return [error["where"] for error in answer.json()["errors"]]
