"""A directory that provisions people, as a client of `/scim/v2/`."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tms.accounts import api_tokens
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import TokenScope, User
from tms.accounts.people.service_accounts import services
from tms.accounts.roles import built_in

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def service_account(role: str = "Administrator", scope: GrantScope | None = None) -> User:
    boss = User.objects.create_user(f"boss-of-{role}")
    return services.create("Entra ID", role=built_in(role), scope=scope or GrantScope(), by=boss)


class Directory:
    """Sends requests with a token; it has no cookies."""

    def __init__(self, account: User, *, scope: TokenScope = TokenScope.SCIM) -> None:
        self.account = account
        self.token, self.secret = api_tokens.issue(account, name="sync", at=timezone.now(), scope=scope)
        self._client = Client(enforce_csrf_checks=True)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(
            method,
            f"/scim/v2/{path}",
            data,
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {self.secret}", **named},
        )

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self._client.get(f"/scim/v2/{path}", query, headers={"Authorization": f"Bearer {self.secret}"})

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> HttpResponse:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def create(self, name: str, /, **more: Any) -> str:
        """The id of a new User."""
        body = {"schemas": [USER], "userName": name, "active": True, **more}
        return made(self.send("POST", "Users", body))

    def create_group(self, name: str, /, *members: str, **more: Any) -> str:
        listed = [{"value": member} for member in members]
        return made(self.send("POST", "Groups", {"schemas": [GROUP], "displayName": name, "members": listed, **more}))

    def members(self, group: str) -> set[str]:
        return {member["value"] for member in ok(self.get(f"Groups/{group}")).get("members", [])}


def made(answer: HttpResponse) -> str:
    assert answer.status_code == 201, answer.content
    resource = answer.json()
    assert answer["Location"] == resource["meta"]["location"]
    return str(resource["id"])


def ok(answer: HttpResponse) -> Any:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/scim+json"
    return answer.json()


def refused(answer: HttpResponse) -> tuple[int, str]:
    """Status and `scimType` of an error document."""
    assert answer["Content-Type"] == "application/scim+json", answer.content
    document = answer.json()
    assert document["schemas"] == [ERROR]
    assert document["status"] == str(answer.status_code)
    assert document["detail"]
    return answer.status_code, document.get("scimType", "")


def person(key: str) -> User:
    return User.objects.get(pk=key.removeprefix("person-"))


def id_of(person: User) -> str:
    return f"person-{person.pk}"
