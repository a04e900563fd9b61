"""Panels of a person's own page that other apps provide. They import accounts, not the other way round."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tms.accounts.decorators import AuthenticatedRequest
from tms.lib.per_process import DeferredModules


class Panel(NamedTuple):
    template: str
    context: Callable[[AuthenticatedRequest], Mapping[str, object] | None]
    """What the panel shows; None if it is not offered to this person."""


MODULES = DeferredModules()
"""An app adds those of its modules that call `register`."""

_panels: list[Panel] = []


def register(panel: Panel) -> None:
    _panels.append(panel)


def panels_of(request: AuthenticatedRequest) -> list[tuple[str, Mapping[str, Any]]]:
    """Templates, each with its context."""
    MODULES.load()
    found = ((panel.template, panel.context(request)) for panel in _panels)
    return [(template, context) for template, context in found if context is not None]
