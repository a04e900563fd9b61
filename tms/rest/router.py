"""How a part of TMS offers its operations: a table of `look` and `act`."""

from collections.abc import Callable
from typing import Any

from ninja import Router

from tms.rest.idempotency import HEADER, REPLAYED
from tms.rest.openapi import refusals
from tms.rest.operation import Bearer, Right, door

KEY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Of your own making, new for each request. Sent again within 24 hours, the request is not done "
    f"again, and gets the same answer with `{REPLAYED}: true`.",
}
LOOKING = Right()


class Routes(Router):
    """Operations of one subject; each is known by the name of its function."""

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag], auth=Bearer())
        self.add_decorator(door, mode="view")

    def look[V: Callable[..., Any]](self, path: str, *, summary: str, answer: Any) -> Callable[[V], V]:
        return self.act(path, summary=summary, answer=answer, method="GET", right=LOOKING)

    def act[V: Callable[..., Any]](
        self, path: str, *, summary: str, answer: Any, right: Right, method: str = "POST", status: int = 200
    ) -> Callable[[V], V]:
        def add(view: V) -> V:
            name = view.__name__
            view.right = right  # type: ignore[attr-defined]
            self.add_api_operation(
                path,
                [method],
                view,
                response={status: answer},
                operation_id=name,
                url_name=name.replace("_", "-"),
                summary=summary,
                openapi_extra={
                    "parameters": _headers(right),
                    **({"x-permission": str(right.needs)} if right.needs else {}),
                    "responses": refusals(_statuses(path, method, right)),
                },
            )
            return view

        return add


def _statuses(path: str, method: str, right: Right) -> list[int]:
    of_body = {400, 413} if method != "GET" else set()
    missing = {404} if "{" in path else set()
    kept = {409} if right.is_kept else set()
    forbidden = {403} if right.needs else set()
    return sorted({401, 422, 429, 503, *of_body, *missing, *kept, *forbidden, *right.refusals})


def _headers(right: Right) -> list[dict[str, Any]]:
    return [*right.headers, KEY] if right.is_kept else list(right.headers)
