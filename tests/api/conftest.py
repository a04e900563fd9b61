import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.support.builders import now
from tests.support.people import person
from tms.accounts import api_tokens
from tms.accounts.models import User


class Caller:
    """Another system, with a token; it has no cookies."""

    def __init__(self, secret: str) -> None:
        self._client = Client(enforce_csrf_checks=True)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, query: Any = None, **headers: str) -> HttpResponse:
        return self._client.get(at(path), query, headers=self.headers | named(headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._client.generic(
            method, at(path), data, content_type="application/json", headers=self.headers | named(headers)
        )

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)


def at(path: str) -> str:
    return path if path.startswith(("/api/", "http")) else f"/api/v1{path}"


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def problem(answer: HttpResponse) -> tuple[int, str]:
    """Status and type; the document repeats its status."""
    assert answer["content-type"] == "application/problem+json", answer.content
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    return answer.status_code, document["type"]


def wrong(answer: HttpResponse) -> list[str]:
    """Where something is wrong with what was sent."""
    assert problem(answer) == (422, "tms:bad-request"), answer.content
    return [error["where"] for error in answer.json()["errors"]]


@pytest.fixture
def caller_for(db: None) -> Callable[[User], Caller]:
    return lambda person: Caller(api_tokens.issue(person, name="a script", at=now())[1])


@pytest.fixture
def watcher(caller_for) -> Caller:
    """May do what an operator may."""
    return caller_for(person("aiko", of="Operator"))


@pytest.fixture
def editor(caller_for) -> Caller:
    """May do everything."""
    return caller_for(User.objects.create(username="boss", is_staff=True, is_superuser=True))
