"""How an app declares its REST operations."""

from collections.abc import Callable

from ninja import Router

from tms.rest_base.idempotency import HEADER, REPLAYED
from tms.rest_base.openapi import refusals
from tms.rest_base.operation import Access, Bearer, api_operation

KEY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "A key that you choose, new for each request. A request repeated with it within 24 hours is not "
    f"executed again and gets the same response with `{REPLAYED}: true`.",
}
BYTES = {"description": "The content", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
READ = Access()

type View = Callable[..., object]


class ApiRouter(Router):
    """Operations of one subject. The name of a function is its operation id.

    `response` is the schema of the response, `access` says who may call it; GET needs only a valid token.
    """

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag], auth=Bearer())
        self.add_decorator(api_operation, mode="view")

    def get[V: View](  # type: ignore[override]
        self, path: str, *, summary: str, response: object, access: Access = READ
    ) -> Callable[[V], V]:
        return self._add("GET", path, summary, response, access)

    def post[V: View](  # type: ignore[override]
        self, path: str, *, summary: str, response: object, access: Access, status: int = 200
    ) -> Callable[[V], V]:
        return self._add("POST", path, summary, response, access, status)

    def put[V: View](  # type: ignore[override]
        self, path: str, *, summary: str, response: object, access: Access
    ) -> Callable[[V], V]:
        return self._add("PUT", path, summary, response, access)

    def patch[V: View](  # type: ignore[override]
        self, path: str, *, summary: str, response: object, access: Access
    ) -> Callable[[V], V]:
        return self._add("PATCH", path, summary, response, access)

    def delete[V: View](  # type: ignore[override]
        self, path: str, *, summary: str, response: object, access: Access, status: int = 200
    ) -> Callable[[V], V]:
        return self._add("DELETE", path, summary, response, access, status)

    def _add[V: View](
        self, method: str, path: str, summary: str, response: object, access: Access, status: int = 200
    ) -> Callable[[V], V]:
        def add(view: V) -> V:
            name = view.__name__
            view.access = access  # type: ignore[attr-defined]
            self.add_api_operation(
                path,
                [method],
                view,
                response={status: None if response is bytes else response},
                operation_id=name,
                url_name=name.replace("_", "-"),
                summary=summary,
                openapi_extra={
                    "parameters": _headers(access),
                    **({"x-permission": " or ".join(map(str, access.permissions))} if access.needs else {}),
                    "responses": refusals(_statuses(path, method, access))
                    | ({status: BYTES} if response is bytes else {}),
                },
            )
            return view

        return add


def _statuses(path: str, method: str, access: Access) -> list[int]:
    of_body = {400, 413} if method != "GET" else set()
    missing = {404} if "{" in path else set()
    conflict = {409} if access.is_idempotent else set()
    forbidden = {403} if access.needs or method != "GET" else set()
    return sorted({401, 422, 429, 503, *of_body, *missing, *conflict, *forbidden, *access.refusals})


def _headers(access: Access) -> list[dict[str, object]]:
    return [*access.headers, KEY] if access.is_idempotent else list(access.headers)
