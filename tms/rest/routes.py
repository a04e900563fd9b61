"""How a part of TMS offers its operations: a table of `look` and `act`."""

from collections.abc import Callable
from typing import Any

from ninja import Router

from tms.accounts import access
from tms.accounts.access import Person
from tms.rest.door import Bearer, Right, door
from tms.rest.once import HEADER, REPLAYED
from tms.rest.shapes import Problem

KEY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Of your own making, new for each request. Sent again within 24 hours, the request is not done "
    f"again, and gets the same answer with `{REPLAYED}: true`.",
}


class Routes(Router):
    """Operations of one subject; each is known by the name of its function."""

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag], auth=Bearer())
        self.add_decorator(door, mode="view")

    def look[V: Callable[..., Any]](self, path: str, *, summary: str, answer: Any) -> Callable[[V], V]:
        return self._add("GET", path, summary=summary, answers={200: answer}, refusals=(), right=Right())

    def act[V: Callable[..., Any]](
        self,
        path: str,
        *,
        summary: str,
        answer: Any,
        may: Callable[[Person], bool] = access.may_act,
        method: str = "POST",
        status: int = 200,
        refusals: tuple[int, ...] = (),
        is_kept: bool | None = None,
        **options: Any,
    ) -> Callable[[V], V]:
        """`refusals`: by which statuses it refuses besides those that every operation has."""
        right = Right(may, is_kept=method == "POST" if is_kept is None else is_kept)
        return self._add(
            method, path, summary=summary, answers={status: answer}, refusals=(403, 413, 422, *refusals), right=right
        )

    def _add[V: Callable[..., Any]](
        self, method: str, path: str, *, summary: str, answers: dict[int, Any], refusals: tuple[int, ...], right: Right
    ) -> Callable[[V], V]:
        def add(view: V) -> V:
            name = view.__name__
            view.right = right  # type: ignore[attr-defined]
            missing = (404,) if "{" in path else ()
            statuses = sorted({400, 401, 422, 429, 503, *missing, *refusals, *((409,) if right.is_kept else ())})
            self.add_api_operation(
                path,
                [method],
                view,
                response={**answers, **dict.fromkeys(statuses, Problem)},
                operation_id=name,
                url_name=name.replace("_", "-"),
                summary=summary,
                openapi_extra={"parameters": [KEY]} if right.is_kept else None,
            )
            return view

        return add
