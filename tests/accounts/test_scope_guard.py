"""Code that shows rows to people reads them through `tms.accounts.access`: a check of the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from tests.support.inventory import ROOT
from tms.accounts.scope import ScopePath

FILTERS = {"visible", "within", "permitted", "covered", "seen", "find", "find_permitted"}
FILTERS |= {"find_to_change", "named_in_body"}
"""Functions of access; `seen` is the filter of a digest, `find` and those below are of the REST API."""
READERS = (
    "tms/boards/**/*.py",
    "tms/search/*.py",
    "tms/**/api.py",
    "tms/**/*_api.py",
    "tms/**/views.py",
    "tms/shifts/digest/*.py",
)
EXCEPTIONS = {
    "rows by the primary keys that the page, operation or preview has filtered": {
        "alerts.actions.api.add_operations",
        "alerts.actions.incident_api.add_operation",
        "alerts.rule_editing.api._uids",
        "boards.actions.one.__init__",
        "commands.api._answer_queued",
        "configuration.api._terminal",
        "boards.dialogs.action_dialog.of_alerts",
        "boards.device_list.rows.device_rows",
        "boards.dialogs.action_dialog.of_incidents",
        "boards.incidents.regrouping.__init__",
        "boards.incidents.regrouping.move_alerts_out",
        "boards.list_filters.facets.facets",
        "boards.list_filters.terminal_facets._count_first",
        "boards.list_filters.terminal_orders.ordered",
        "boards.alert_history.rows._names",
        "boards.alert_history.rows.past_rows",
        "boards.overview.common_factors._name",
        "boards.overview.common_factors.acting_people",
        "boards.list_filters.correlated_alerts.members",
        "boards.rows.alerts._alerts",
        "boards.caches.sound_alarms._oldest_alerts",
        "boards.caches.sound_alarms.marks_of",
        "boards.rows.forming._sites",
        "boards.rows.incidents.incident_rows",
        "boards.rows.lost_sites._labels",
        "boards.rows.terminals._columns_of",
        "boards.rows.terminals._unresolved_of",
        "boards.rows.viewers.viewers",
        "boards.rules.preview.preview_panel",
        "boards.workbench.evidence._name",
        "boards.workbench.evidence._on_node",
        "notifications.rotations.api._names",
        "notifications.rotations.views._shifts",
        "shifts.digest.changes.changes",
        "shifts.digest.open_alerts._steps",
        "shifts.digest.operator_actions.operator_actions",
    },
    "rows of the whole fleet, for those who have the permission for everything": {
        "fleet.groups.views.preview_query",
        "fleet.groups.views._uids",
    },
    "whether the row exists; the permission for it is demanded then": {"fleet.devices.api._replacement"},
    "of the terminal of the page": {
        "boards.pages.terminal_chart._limits",
        "boards.rows.outages.sums_by_cause",
        "boards.rows.terminal_details._files",
        "boards.rows.terminal_details._inspection",
        "boards.rows.terminal_details._open_alerts",
        "boards.rows.terminal_details._unexpected",
        "boards.rows.terminal_details.command_rows",
        "boards.rows.terminal_details.facts_of",
    },
    "of the site of the page, or of one that the person may change as a whole": {
        "boards.rows.site_details.region_name",
        "boards.site_closing.of",
    },
    "the caller filters the rows, or filters others by them": {
        "boards.alert_history.filters._acknowledgements",
        "boards.replay.alert_filter.alerts_among",
        "boards.alert_history.filters._matching",
        "boards.list_filters.terminal_orders._by_severity",
        "boards.overview.on_shift._overlap",
        "boards.pages.alerts._listed_alerts",
        "boards.list_filters.correlated_alerts.unresolved_incidents",
        "boards.maintenance.calendar._share_terminals",
        "boards.rows.maintenance.current_rows",
        "boards.rows.maintenance.past_rows",
        "boards.rows.maintenance.rows_of_site",
    },
    "each of several querysets is filtered in a comprehension": {
        "alerts.maintenance.api._windows",
        "fleet.identity.api._seen",
        "notifications.policies.api._policies",
        "notifications.policies.views._policies",
        "shifts.digest.maintenance.maintenance_lines",
    },
    "counts of the fleet, of which each scope gets its part": {
        "boards.caches.census_cache._states",
        "boards.caches.census.unresolved_alerts",
        "boards.caches.incidents._sites_of",
        "boards.caches.incidents.load",
        "boards.caches.census_parts.__init__",
        "boards.caches.census_parts.follow",
        "boards.live.render_worker._verify",
    },
    "the rows of the person themselves": {
        "accounts.me.views.grants_of",
        "notifications.push.views._own",
        "notifications.push.views.panel",
    },
    "the trail of the whole installation, which needs a permission for everything": {"boards.audit.filters.choices"},
}
"""Why → functions that read rows without a filter."""


def scoped_models() -> set[str]:
    """The models whose rows belong to a scope, by name."""
    return {model.__name__ for model in apps.get_models() if isinstance(getattr(model, "scope_path", None), ScopePath)}


def readers() -> Iterator[Path]:
    yield from sorted({path for pattern in READERS for path in ROOT.glob(pattern)})


class Reads(ast.NodeVisitor):
    """Finds `Model.objects` that no filter of access is applied to, in the same statement or by a variable."""

    def __init__(self, module: str, scoped: set[str]) -> None:
        self.found: set[str] = set()
        self._module = module
        self._scoped = scoped

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        filtered = _names_in_filters(node)
        for statement in ast.walk(node):
            if isinstance(statement, ast.stmt) and not isinstance(
                statement, ast.FunctionDef | ast.If | ast.For | ast.With
            ):
                self._check(statement, node.name, filtered)

    def _check(self, statement: ast.stmt, function: str, filtered: set[str]) -> None:
        covered = {id(inner) for call in _filters(statement) for inner in ast.walk(call)}
        if {target.id for target in _targets(statement)} & filtered:
            return
        for node in ast.walk(statement):
            if self._is_read(node) and id(node) not in covered:
                self.found.add(f"{self._module}.{function}")

    def _is_read(self, node: ast.AST) -> bool:
        if not (isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}):
            return False
        name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        return name in self._scoped


def _filters(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in FILTERS:
                yield node


def _names_in_filters(function: ast.FunctionDef) -> set[str]:
    return {node.id for call in _filters(function) for node in ast.walk(call) if isinstance(node, ast.Name)}


def _targets(statement: ast.stmt) -> Iterator[ast.Name]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (node for node in ast.walk(target) if isinstance(node, ast.Name))


def unfiltered() -> set[str]:
    scoped, found = scoped_models(), set()
    for path in readers():
        reads = Reads(".".join(path.relative_to(ROOT / "tms").with_suffix("").parts), scoped)
        reads.visit(ast.parse(path.read_text()))
        found |= reads.found
    return found


def test_pages_and_operations_read_rows_through_access():
    assert unfiltered() == set().union(*EXCEPTIONS.values())


def test_a_read_without_a_filter_is_found():
    code = """
def plain(): return Site.objects.all()
def filtered(to): return visible(Site.objects.filter(code="A"), to=to)
def by_variable(to):
    rows = models.Site.objects.all()
    return access.visible(rows, to=to)
"""
    reads = Reads("m", {"Site"})
    reads.visit(ast.parse(code))

    assert reads.found == {"m.plain"}
