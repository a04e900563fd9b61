"""Queries that a program changes: what is removed is gone, and the rest means what it meant."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tms.query.editing import all_of, condition, only_condition, parts_of, without
from tms.query.parser import parse
from tms.query.tree import AllOf


@pytest.mark.parametrize(
    ("texts", "query"),
    [
        (("kind:kiosk", ""), "kind:kiosk"),
        (("kind:kiosk", "a b"), "kind:kiosk a b"),
        (("a or b", " "), "a or b"),
        (("a or b", "kind:kiosk"), "(a or b) kind:kiosk"),
        (("kind:", "a"), "kind: a"),
    ],
)
def test_queries_are_joined(texts, query):
    assert all_of(*texts) == query


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (("UMD",), "site:UMD"),
        (("UMD", "SJK"), "site:UMD,SJK"),
        (("East hall", ""), 'site:"East hall",""'),
        (("a*",), 'site:"a*"'),
        (('a"b', '"'), 'site:"a""b",""""'),
        (("or",), "site:or"),
    ],
)
def test_values_are_written_as_a_query_has_them(values, written):
    assert condition("site", values) == written
    assert [value.text for value in parse(written).values] == list(values)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("presence:lost", ""),
        ("kind:kiosk presence:lost,silent umeda", "kind:kiosk umeda"),
        ("presence:lost and kind:kiosk", "kind:kiosk"),
        ("kind:kiosk AND presence:lost", "kind:kiosk"),
        ("a and presence:lost and b", "a and b"),
        ("and presence:lost", "and"),
        ("a and ((presence:lost))", "a"),
        ("uid: and presence:lost", "uid: and"),
        ("(a or b)presence:lost(c)", "(a or b) (c)"),
        ("Presence：lost　梅田", "梅田"),
        ('presence:"lost" , silent x', "x"),
    ],
)
def test_a_condition_is_removed(text, rest):
    found = only_condition(text, "presence")

    assert without(text, found) == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "umeda",
        "-presence:lost",
        "presence:lost or a",
        "(presence:lost or a) b",
        "presence:a presence:b",
        "presence:",
    ],
)
def test_a_condition_that_not_all_results_meet_alone_is_none(text):
    assert only_condition(text, "presence") is None


written = st.recursive(
    st.sampled_from(["a", "and", "kind:kiosk", "uid: and", "-b", 'x:"y z",or', "status:ok", "or:and"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" ", " and ", " or ", "　"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-({})".format),
    ),
    max_leaves=8,
)


@given(written, written, st.sampled_from([" ", " and ", " AND "]))
def test_the_rest_of_a_query_means_what_it_meant(before, after, joint):
    assume(parts_of(before) and parts_of(after))
    text = f"({before}){joint}presence:lost,silent{joint}({after})"

    rest = without(text, only_condition(text, "presence"))

    assert parse(rest) == AllOf(tuple(part for part in parts_of(text) if part != parse("presence:lost,silent")))
