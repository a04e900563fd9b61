"""What a SCIM request says: its body, its query and its conditions, each with limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.http import HttpRequest
from pydantic import ValidationError
from scim2_models import Context, Error, PatchOp, Resource, SCIMException, SearchRequest

from tms.accounts.models.provisioned import MAX_EXTERNAL_ID_CHARACTERS
from tms.accounts.scim.errors import ScimError
from tms.accounts.scim.schemas import POLICY
from tms.protocol.limits import EXTREME_NUMBERS
from tms.protocol.raw_checks import has_too_many_extremes
from tms.protocol.text import clean_tree

DEFAULT_COUNT, MAX_RESULTS = 100, 200
LAST_INDEX = 10**9
MAX_FILTER_CHARACTERS = 1_000
MAX_OPERATIONS = 1_000
PARAMETERS = ("filter", "startIndex", "count", "attributes", "excludedAttributes")


@contextmanager
def scim_rules() -> Iterator[None]:
    """Read messages as the policy says, and convert the errors of the library."""
    try:
        with POLICY:
            yield
    except ValidationError as error:
        first, *others = Error.from_validation_errors(error)
        more = f" (and {len(others)} more)" if others else ""
        raise ScimError(first.status or 400, f"{first.detail}{more}"[:500], kind=first.scim_type or "") from None
    except SCIMException as error:
        raise ScimError(error.status, str(error)[:500], kind=error.scim_type) from None


def body(request: HttpRequest) -> Any:
    """The JSON value, without characters that TMS does not store."""
    if has_too_many_extremes(request.body):
        detail = f"the body contains more than {EXTREME_NUMBERS} numbers with a three-digit exponent"
        raise ScimError(400, detail, kind="invalidSyntax")
    if b"\\u0000" in request.body:
        raise ScimError(400, "a string must not contain U+0000", kind="invalidValue")
    try:
        return clean_tree(msgspec.json.decode(request.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScimError(400, f"the body is not JSON: {error}", kind="invalidSyntax") from None


def resource[Model: Resource[Any]](request: HttpRequest, model: type[Model]) -> Model:
    """The resource of a POST or PUT. What only the server writes is ignored."""
    sent = body(request)
    with scim_rules():
        return model.model_validate(sent, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)


def external_id_of(wanted: Resource[Any]) -> str:
    external_id = (wanted.external_id or "").strip()
    if len(external_id) > MAX_EXTERNAL_ID_CHARACTERS:
        raise ScimError(400, f"externalId: at most {MAX_EXTERNAL_ID_CHARACTERS} characters", kind="invalidValue")
    return external_id


def patch(request: HttpRequest, model: type[Resource[Any]]) -> PatchOp[Any]:
    sent = body(request)
    operations = (
        next((value for name, value in sent.items() if name.lower() == "operations"), None)
        if (isinstance(sent, dict))
        else None
    )
    if isinstance(operations, list) and len(operations) > MAX_OPERATIONS:
        raise ScimError(413, f"at most {MAX_OPERATIONS} operations in a request")
    with scim_rules():
        message: PatchOp[Any] = PatchOp[model].model_validate(  # type: ignore[valid-type]  # a model of ours
            sent, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )
    return message


def search(request: HttpRequest, model: type[Resource[Any]]) -> SearchRequest[Any]:
    """The query of a list. Other parameters are ignored, `sortBy` too: TMS does not sort."""
    given = {name: request.GET[name] for name in PARAMETERS if request.GET.get(name)}
    if len(given.get("filter", "")) > MAX_FILTER_CHARACTERS:
        raise ScimError(400, f"the filter must not exceed {MAX_FILTER_CHARACTERS} characters", kind="invalidFilter")
    with scim_rules():
        wanted: SearchRequest[Any] = SearchRequest[model].model_validate(given)  # type: ignore[valid-type]
    wanted.start_index = min(wanted.start_index or 1, LAST_INDEX)
    wanted.count = min(DEFAULT_COUNT if wanted.count is None else wanted.count, MAX_RESULTS)
    return wanted


def check_version(request: HttpRequest, version: str) -> None:
    """Raises ScimError if the request is about another version of the resource."""
    if_match = request.headers.get("If-Match")
    if if_match and if_match.strip() != "*" and version not in _tags(if_match):
        raise ScimError(412, "changed since you read it; read it again", headers={"ETag": version})


def has_current(request: HttpRequest, version: str) -> bool:
    return version in _tags(request.headers.get("If-None-Match", ""))


def _tags(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",")}
