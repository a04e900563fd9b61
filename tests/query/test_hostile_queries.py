"""Texts that want to be SQL, and texts that want to be nothing: each is a query of parameters, or refused."""

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.builders import AT
from tms.fleet.models import Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.errors import QueryError
from tms.query.query import Query

pytestmark = [pytest.mark.both, pytest.mark.embedded]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
INJECTIONS = (
    "'hurt",
    "hurt' OR '1'='1",
    "'; DROP TABLE fleet_terminal; -- hurt",
    "hurt'); DELETE FROM fleet_terminal WHERE ('1'='1",
    "hurt' UNION SELECT password FROM accounts_user --",
    "hurt\\' OR 1=1 --",
    "hurt%' OR uid LIKE '%",
    "hurt%s %(x)s %d %%",
    "$1 hurt {0} :x ?",
    "hurt/**/OR/**/1=1",
    "hurt' || (SELECT pg_sleep(10)) || '",
    "hurt`; --",
    "hurt' AND randomblob(1000000000) --",
    "hurt]]><x",
    "CHAR(104)+hurt",
    "hurt\u02bc OR 1=1",
    "hurt＇ OR 1=1",
)
PLACES = (
    "{}",
    '"{}"',
    'uid:"{}"',
    "uid:{}",
    "uid:*{}*",
    'location:"{}"',
    'site:"{}"',
    'group:"{}"',
    'tag:"{}"',
    'lost_with:"{}"',
    'via:"{}"',
    'firmware<"1{}"',
    'kind:"{}"',
    'alert:"{}"',
    'open:"{}"',
    'seen>"{}"',
    'created:"2026-01-01{}"',
    'metric.cpu_pct>"1{}"',
    "metric.{}>1",
    "attr.{}:1",
    "{}:1",
    '-(uid:"{}" or -site:"{}")',
)
NAMES = (
    "site__pk:1",
    "pk:1",
    "id>0",
    "site__code__regex:(a+)+",
    "state__metrics:1",
    "uid__in:a",
    "metric.a__gt:1",
    "_:1",
)


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_query_stays_a_parameter(fleet, injection):
    fleet.terminals(2)

    for place in PLACES:
        try:
            where = Query.of(place.replace("{}", injection), TERMINAL_FIELDS).where(AT)
        except QueryError:
            continue
        rows = Terminal.objects.filter(where)
        statement, _ = rows.query.sql_with_params()

        assert "hurt" not in statement, place
        assert rows.count() in (0, 2)

    assert Terminal.objects.count() == 2


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_never_a_path_of_the_database(fleet, text):
    fleet.terminal()

    try:
        found = Terminal.objects.filter(Query.of(text, TERMINAL_FIELDS).where(AT)).count()
    except QueryError:
        found = 0

    assert found == 0


pieces = st.sampled_from(
    re.findall(r"\S+", 'kind:kiosk firmware<4.8 seen>10m - ( ) （ ） " , 、 or and * : < >= ： metric. attr.x:')
)
texts = st.one_of(
    st.text(max_size=60),
    st.lists(pieces | st.text(max_size=3), max_size=40).map("".join),
    st.lists(pieces | st.text(max_size=3), max_size=40).map(" ".join),
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_any_text_is_a_query_or_refused_with_its_place(db, text):
    refused = None
    try:
        Query.of(text, TERMINAL_FIELDS).where(AT)
    except QueryError as error:
        refused = error.span

    assert refused is None or 0 <= refused.start <= refused.end <= len(text)
