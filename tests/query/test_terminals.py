"""Queries about terminals: the database finds what a plain program finds."""

import operator
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import factories
from tests.support.builders import AT, Fleet
from tests.support.database.shared_rows import shared_rows
from tms.alerts.maintenance.services import WindowScope, plan
from tms.fleet.models import Group, Lifecycle, Presence, Status, Terminal, TerminalState
from tms.fleet.models.opening_hours import SpecialDay
from tms.fleet.models.outage import Outage
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.calendar.recurrence import Recurrence
from tms.lib.db.version_order import version_key
from tms.query.errors import QueryError
from tms.query.query import Query

pytestmark = [pytest.mark.both, pytest.mark.embedded]

FIRMWARE = ("", "4.8", "4.8.0", "4.10", "R2024", "v4.8.3", "4.8-rc1", "5")
LABELS = ("", "East hall", "east-hall 2", "改札 右", "100%_x*")
GROUPS = ("Pilot", "VIP 窓口")
DAY = timedelta(days=1)
READINGS = (None, -5.5, 0.0, 60.0, 99.0)
AGES = (None, 30, 600, 90_000)
SEVERITIES = ("", "critical", "warning", "info", "resolved")
NODES = ("", "node-a", "node b")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
"""A thorough run has 10,000, and needs `--timeout=0`."""
MOMENTS = "Possible: 10m, 2h, 30d, 2026-11-01, never."
COMPARED = {":": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Plain:
    """A terminal as the plain program knows it."""

    uid: str
    site: tuple[str, str, str]
    kind: str
    label: str
    firmware: str
    state: str
    presence: str
    status: str
    alert: str
    lost_with: str
    is_closed: bool
    in_maintenance: bool
    groups: frozenset[str]
    age: int | None
    temperature: float | None

    @property
    def words(self) -> str:
        return "\n".join((self.uid, self.label, *self.site[1:])).casefold()


@pytest.fixture(scope="module")
def created(django_db_setup, django_db_blocker) -> Iterator[list[Plain]]:
    with shared_rows(django_db_blocker):
        yield create_terminals(Fleet())


@pytest.fixture
def terminals(created, db) -> list[Plain]:
    return created


def create_terminals(fleet: Fleet) -> list[Plain]:
    """Sixty terminals at two sites, one of them closed; every value beside every other sooner or later."""
    sites = [fleet.site("UMD", name="Umeda", name_ja="梅田"), fleet.site("SJK", name="Shinjuku South")]
    groups = [Group.objects.create(name=name) for name in GROUPS]
    SpecialDay.objects.create(site=sites[0], first_on=AT.date() - timedelta(days=1), last_on=AT.date() + DAY)
    rules: dict[str, list[Terminal]] = {}
    maintained: list[Terminal] = []
    plain = []
    for number in range(60):
        site, age, reading = sites[number % 2], AGES[number % 4], READINGS[number // 3 % 5]
        row = Terminal.objects.create(
            uid=f"{site.code}-{number}",
            site=site,
            kind=("kiosk", "gate", "payment")[number % 3],
            label=LABELS[number // 2 % 5],
            firmware=FIRMWARE[number // 5 % 8],
        )
        state = Lifecycle.values[number // 7 % 4]
        seen_at = None if age is None else AT - timedelta(seconds=age)
        metrics = {} if reading is None else {"temperature_c": reading}
        presence, status = Presence.values[number // 11 % 6], ("", *Status.values)[number // 4 % 4]
        TerminalState.objects.create(
            terminal=row, presence=presence, status=status, last_seen_at=seen_at, metrics=metrics
        )
        severity, node = SEVERITIES[number // 2 % 5], NODES[number // 5 % 3]
        if severity:
            rules.setdefault(severity, []).append(row)
        if node:
            Outage.objects.create(terminal=row, began_at=AT, lost_by="connection_lost", node=node)
        chosen = [group for at, group in enumerate(groups) if number >> (at + 2) & 1]
        row.groups.set(chosen)
        names = frozenset(group.name for group in chosen)
        plain.append(
            Plain(
                row.uid, (site.code, site.name, site.name_ja), row.kind, row.label, row.firmware, state,
                presence, status, severity, node, site is sites[0], number % 6 == 5, names, age, reading,
            )
        )  # fmt: skip
        if number % 6 == 5:
            maintained.append(row)
    alert(fleet, rules)
    for row in plain:
        Terminal.objects.filter(uid=row.uid).update(lifecycle=row.state)  # only those in service get alerts
    begun = Recurrence(ZoneInfo("UTC"), AT.replace(tzinfo=None) - timedelta(minutes=1), timedelta(hours=1))
    plan(begun, WindowScope(terminals=maintained), note="new router", by=None, at=AT)
    return plain


def alert(fleet, terminals: dict[str, list[Terminal]]) -> None:
    """An alert of each severity for these terminals; some were resolved."""
    for severity, rows in terminals.items():
        is_resolved = severity == "resolved"
        rule = fleet.metric_rule(severity="critical" if is_resolved else severity, name=severity)
        for row in rows:
            made = factories.alert(fleet, rule=rule, terminal=row)
            if is_resolved:
                factories.resolved(made)


def spelled(value: str) -> str:
    return f'"{value}"' if not value or re.search(r'[\s()",*]', value) else value


def equals(value: str):
    return lambda text: text.casefold() == value.casefold()


def matches(pattern: str):
    return lambda text: fnmatchcase(text.casefold(), re.sub(r"([\[?])", r"[\1]", pattern.casefold()))


names = st.sampled_from(["UMD", "umd", "Umeda", "梅田", "Shinjuku South", "nowhere", ""])
ages = st.sampled_from([("30s", 30), ("10m", 600), ("1h", 3_600), ("2d", 172_800)])
order = st.sampled_from(list(COMPARED))


def _of_texts(field, values, texts):
    """Conditions on text: `:` with a whole value, which may be none, or with a pattern of its beginning."""
    whole = values.map(
        lambda value: (f"{field}:{spelled(value)}", lambda row: (any if value else all)(map(equals(value), texts(row))))
    )
    begun = values.filter(lambda value: value and spelled(value) == value).map(
        lambda value: (f"{field}:{value[:2]}*", lambda row: any(map(matches(value[:2] + "*"), texts(row))))
    )
    return whole | begun


def _of_choices(field, values, of):
    return st.lists(values, min_size=1, max_size=3).map(
        lambda chosen: (f"{field}:{','.join(chosen)}", lambda row: of(row) in chosen)
    )


def _version(sign, wanted):
    def holds(row):
        key, limit = version_key(row.firmware), version_key(wanted)
        return COMPARED[sign](key, limit) and key[0] == limit[0]

    return f"firmware{sign}{wanted}", holds


def _reading(sign, wanted):
    return (
        f"metric.temperature_c{sign}{wanted}",
        lambda row: row.temperature is not None and COMPARED[sign](row.temperature, wanted),
    )


def _age(sign, written, seconds):
    longer = sign in (">", ">=")
    return (
        f"seen{sign}{written}",
        lambda row: (row.age is None or row.age >= seconds) if longer else (row.age is not None and row.age <= seconds),
    )


conditions = st.one_of(
    _of_texts("site", names, lambda row: row.site),
    _of_texts("uid", st.sampled_from(["UMD-4", "umd-10", "SJK-1", ""]), lambda row: [row.uid]),
    st.sampled_from(["hall", "EAST", "改札", "%_", "0%_x"]).map(
        lambda part: (f"location:{part}", lambda row: part.casefold() in row.label.casefold())
    ),
    _of_texts("group", st.sampled_from([*GROUPS, "pilot", "none"]), lambda row: row.groups),
    st.just(('group:""', lambda row: not row.groups)),
    _of_choices("kind", st.sampled_from(["kiosk", "gate", "payment", "signage"]), lambda row: row.kind),
    _of_choices("state", st.sampled_from(Lifecycle.values), lambda row: row.state),
    _of_choices("presence", st.sampled_from(Presence.values), lambda row: row.presence),
    _of_choices("status", st.sampled_from(Status.values), lambda row: row.status),
    _of_choices("alert", st.sampled_from(["critical", "warning", "info"]), lambda row: row.alert),
    _of_choices("open", st.sampled_from(["yes", "no"]), lambda row: "no" if row.is_closed else "yes"),
    _of_texts("lost_with", st.sampled_from(["node-a", "NODE B", "node"]), lambda row: [row.lost_with]),
    st.sampled_from(
        [
            ("alert:any", lambda row: row.alert not in ("", "resolved")),
            ("alert:none,info", lambda row: row.alert in ("", "resolved", "info")),
            ("expected:closed", lambda row: row.is_closed),
            ("expected:maintenance", lambda row: row.in_maintenance),
            ("expected:maintenance,closed", lambda row: row.in_maintenance or row.is_closed),
            ('lost_with:""', lambda row: not row.lost_with),
        ]
    ),
    st.builds(_version, order, st.sampled_from([one for one in FIRMWARE if one])),
    st.builds(_reading, order, st.sampled_from([-5.5, 0.0, 59.9, 60.0])),
    st.builds(lambda sign, age: _age(sign, *age), order, ages),
    st.sampled_from(["umd-1", "HALL", "梅田", "shinjuku", "east-hall"]).map(
        lambda word: (word, lambda row: word.casefold() in row.words)
    ),
)
queries = st.recursive(
    conditions,
    lambda inner: st.one_of(
        inner.map(lambda one: (f"-({one[0]})", lambda row: not one[1](row))),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda some: (" ".join(f"({text})" for text, _ in some), lambda row: all(holds(row) for _, holds in some))
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda some: (
                " or ".join(f"({text})" for text, _ in some),
                lambda row: any(holds(row) for _, holds in some),
            )
        ),
    ),
    max_leaves=6,
)


def found(text: str) -> set[str]:
    where = Query.of(text, TERMINAL_FIELDS).where(AT)
    return set(Terminal.objects.filter(where).values_list("uid", flat=True))


def test_the_database_finds_what_a_plain_program_finds(terminals):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(query=queries)
    def check(query):
        text, holds = query

        assert found(text) == {row.uid for row in terminals if holds(row)}

    check()


def test_a_query_is_one_statement(terminals, django_assert_num_queries):
    text = "alert:any expected:maintenance lost_with:node-a "
    text += 'site:Umeda kind:kiosk,gate firmware<4.10 -group:Pilot metric.temperature_c>1 (hall or seen>10m) "east"'

    with django_assert_num_queries(1):
        found(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("firmwear<4.8", "There is no field “firmwear”. (column 1) Did you mean firmware?"),
        ("a kind:kisok", "“kisok” is not one of its values. (column 8) Did you mean kiosk?"),
        ("kind<kiosk", "“kind” cannot be compared with <. (column 5) Did you mean :?"),
        ("firmware<new", "“new” is not a version. (column 10) Possible: 4.8.3, 4.8.*."),
        ("metric.temperature_c>warm", "“warm” is not a number. (column 22) Possible: 60, -4.5."),
        ("metric.temperature_c>1e999", "“1e999” is not a number. (column 22) Possible: 60, -4.5."),
        ("seen>long", f"“long” is neither an age nor a day. (column 6) {MOMENTS}"),
        ("seen>2026-13-01", f"“2026-13-01” is neither an age nor a day. (column 6) {MOMENTS}"),
        ("uid:" + "*a" * 9, f"“{'*a' * 9}” has too many asterisks. (column 5)"),
        ("a\0b", "The query contains a character that is none. (column 2)"),
        ("a\ud800", "The query contains a character that is none. (column 2)"),
    ],
)  # fmt: skip
def test_an_error_says_what_would_be_right(text, problem):
    with pytest.raises(QueryError) as refused:
        Query.of(text, TERMINAL_FIELDS)

    assert str(refused.value) == problem


HOSTILE = (
    "seen>99999w",
    "metric.a__b>1",
    "metric.a-b:1",
    "uid:'; drop",
    'uid:"a\\"',
    "uid:%s%%",
    "uid:\\*",
    "-metric.x:1",
    "created>=1970-01-01",
    "created<9998-12-31",
    "firmware<" + "9" * 300,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_values(terminals, text):
    assert len(found(text)) <= len(terminals)
