"""Public parts of the code: settings, metrics, commands, frames, codes, URLs."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client.metrics import MetricWrapperBase

from consumers.not_found import nowhere
from consumers.routing import websockets
from tms.metrics import instruments
from tms.notifications.metrics import DeliveryCollector
from tms.ops.collectors.audit import AuditCollector
from tms.ops.collectors.fleet import FleetCollector, ServerCollector
from tms.ops.collectors.nodes import NodeCollector
from tms.protocol import downlink, uplink
from tms.protocol.close_codes import CloseCode

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("agent/src", "tms", "consumers") for path in (ROOT / folder).rglob("*.py"))
SETTINGS = ROOT / "tms/config/settings.py"
INSTRUMENTS = {name: one for name, one in vars(instruments).items() if isinstance(one, MetricWrapperBase)}

type Metric = tuple[str, str]
"""Name, and type with labels: `("tms_handshakes", "counter outcome")`."""
type Address = tuple[str, str]
"""Path and name: `("/terminals/<uid>/", "terminal")`."""


def found_in_code(pattern: str, *, besides: str = "") -> set[str]:
    return {found for path in CODE if path.name != besides for found in re.findall(pattern, path.read_text())}


# Settings


def setting_calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each `env.reader("TMS_NAME", default)` below `node`, by name."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
            name = str(call.args[0].value)
            if name.startswith("TMS_"):
                yield name, call


def settings() -> set[str]:
    return {name for name, _ in setting_calls(ast.parse(SETTINGS.read_text()))}


def literal_defaults() -> dict[str, str]:
    """The constant defaults."""
    return {
        name: str(call.args[1].value)
        for name, call in setting_calls(ast.parse(SETTINGS.read_text()))
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    }


def settings_that_nothing_uses() -> set[str]:
    """Django's settings that are read from the environment and not used by our code."""
    tree = ast.parse(SETTINGS.read_text())
    assigned = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and any(setting_calls(statement))
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return assigned - loaded - found_in_code(r"settings\.([A-Z_]+)") - READ_BY_DJANGO


READ_BY_DJANGO = {"CSRF_TRUSTED_ORIGINS", "SESSION_COOKIE_AGE", "STATIC_ROOT", "TIME_ZONE"}


@cache
def variables() -> set[str]:
    """Every variable that is read from the environment."""
    return found_in_code(r'"(TMS_[A-Z_]+)"')


@cache
def variables_of_machines() -> set[str]:
    """Variables of the deployment scripts, which TMS itself does not read."""
    kinds = ("", ".sh", ".tf", ".py")
    files = [path for path in (ROOT / "deploy").rglob("*") if path.suffix in kinds and path.is_file()]
    ours = [path for path in files if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    return {found for path in ours for found in re.findall(r"\bTMS_[A-Z_]*[A-Z]\b", path.read_text())}


# Metrics


def metrics() -> set[Metric]:
    declared = [(*_family(one), one._labelnames) for one in INSTRUMENTS.values()]
    collected = [
        (family.name, family.type, family._labelnames)
        for one in (FleetCollector(), NodeCollector(), AuditCollector(), ServerCollector(), DeliveryCollector())
        for family in one.describe()
    ]
    return {(name, " ".join([kind, *labels])) for name, kind, labels in declared + collected}


def _family(instrument: MetricWrapperBase) -> tuple[str, str]:
    [family] = instrument.describe()
    return family.name, family.type


# Commands, frames, codes


def commands() -> set[str]:
    return {name for name, app in get_commands().items() if str(app).startswith("tms.")}


def frames() -> set[str]:
    calls = (downlink.AckCall, downlink.CommandCall, downlink.DrainCall)
    return {*uplink.METHODS, *(str(call.__struct_config__.tag) for call in calls)}


def close_codes() -> set[str]:
    """Close codes of terminals' links, and of boards, whose consumer has a few additional ones."""
    return {str(code.value) for code in CloseCode} | found_in_code(r"\b4[45]\d\d\b")


def error_types() -> set[str]:
    return found_in_code(r'"(tms:[a-z-]+)"')


# URLs


def addresses() -> set[Address]:
    """The addresses of our views."""
    return set(_addresses(get_resolver().url_patterns, "/"))


def _addresses(patterns: Iterable[URLPattern | URLResolver], before: str) -> Iterator[Address]:
    for pattern in patterns:
        path = before + re.sub(r"<\w+:(\w+)>", r"<\1>", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield path, pattern.name or ""
        else:
            yield from _addresses(pattern.url_patterns, path)


def sockets() -> set[Address]:
    return {(f"/{route.pattern}", "") for route in websockets.routes if route.callback is not nowhere}
