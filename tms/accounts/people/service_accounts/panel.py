"""The API tokens on the page of a service account."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from tms.accounts import access
from tms.accounts.models import ApiToken, User
from tms.accounts.people import account, directory
from tms.accounts.people.forms import ServiceTokenForm
from tms.accounts.permissions import Permission


def tokens_of(by: User, person: User, *, form: ServiceTokenForm | None = None) -> dict[str, Any]:
    """Context of the panel; empty for people, who manage their own tokens."""
    if not person.is_service:
        return {}
    tokens = valid_tokens().filter(person=person)
    if not person.is_active or not may_issue(by, person):
        return {"tokens": tokens}
    address = reverse("issue-token", args=(person.pk,))
    return {"tokens": tokens, "token_form": form or ServiceTokenForm(address=address)}


def may_issue(by: User, person: User) -> bool:
    """The issuer of a token could use it, so the account must not hold more than they may grant."""
    return access.may(by, Permission.MANAGE_TOKENS, person) and account.may_manage(by, person)


def valid_tokens() -> Any:
    """The tokens of everyone, those that end first at the top."""
    return ApiToken.objects.valid(timezone.now()).select_related("person").order_by("expires_at", "name")


def tokens_managed(by: User) -> Any:
    """The valid tokens of all accounts that `by` manages."""
    return valid_tokens().filter(person__in=directory.managed(by).values("pk"))
