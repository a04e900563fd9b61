"""The text of a query, and what it is refused for."""

import pytest

from tms.query.errors import QueryError
from tms.query.parser import MAX_DEPTH, MAX_TERMS, parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Operator, Part, Words


def short(part: Part) -> object:
    """The tree without positions."""
    match part:
        case Words(text=text):
            return text
        case Comparison(field=field, operator=operator, values=values):
            return (field, str(operator), *(f'"{value.text}"' if value.is_quoted else value.text for value in values))
        case Negation(part=inner):
            return ["not", short(inner)]
        case AllOf(parts=parts):
            return ["all", *map(short, parts)]
        case AnyOf(parts=parts):
            return ["any", *map(short, parts)]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", ["all"]),
        ("  ", ["all"]),
        ("umeda", "umeda"),
        ('"east hall"', "east hall"),
        ('"the ""old"" hall" ""', ["all", 'the "old" hall', ""]),
        ("kind:kiosk", ("kind", ":", "kiosk")),
        ("kind=kiosk", ("kind", ":", "kiosk")),
        ("kind : kiosk", ("kind", ":", "kiosk")),
        ("kind：kiosk　umeda", ["all", ("kind", ":", "kiosk"), "umeda"]),
        ("kind:kiosk,gate umeda", ["all", ("kind", ":", "kiosk", "gate"), "umeda"]),
        ("kind:kiosk, gate", ("kind", ":", "kiosk", "gate")),
        ('label:"a, b",c', ("label", ":", '"a, b"', "c")),
        ('label:"15"" screen"', ("label", ":", '"15" screen"')),
        ("firmware<4.8 seen>=10m", ["all", ("firmware", "<", "4.8"), ("seen", ">=", "10m")]),
        ("metric.temperature_c>-5.5", ("metric.temperature_c", ">", "-5.5")),
        ("attr.階:2", ("attr.階", ":", "2")),
        ("-kind:kiosk", ["not", ("kind", ":", "kiosk")]),
        ("-(a or b)", ["not", ["any", "a", "b"]]),
        ("（a or b）c", ["all", ["any", "a", "b"], "c"]),
        ("a b or c", ["any", ["all", "a", "b"], "c"]),
        ("a (b or c)", ["all", "a", ["any", "b", "c"]]),
        ("a AND b OR c", ["any", ["all", "a", "b"], "c"]),
        ("oregon android -or", ["all", "oregon", "android", ["not", "or"]]),
        ("UMD-KSK-03 10:30", ["all", "UMD-KSK-03", "10:30"]),
        ("address:fe80::1", ("address", ":", "fe80::1")),
    ],
)
def test_a_text_has_one_reading(text, tree):
    assert short(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "problem", "start"),
    [
        ("(a b", "A closing parenthesis is missing.", 4),
        ("a)", "“)” cannot stand here.", 1),
        ("()", "“)” cannot stand here.", 1),
        ("a or", "A condition is missing.", 4),
        ("firmware<", "A value is missing.", 9),
        ("kind:,", "“,” cannot stand here.", 5),
        ("kind:(a)", "“(” cannot stand here.", 5),
        ('x "abc', "The closing quotation mark is missing.", 2),
        ('x "a""', "The closing quotation mark is missing.", 5),
        ("a" * 10_000, "The query is too long: 10000 characters, at most 9999.", 9_999),
        ("a " * (MAX_TERMS + 1), "The query has too many terms: at most 200.", 400),
        ("(" * (MAX_DEPTH + 1), "Too many parentheses within each other: at most 20.", 20),
        ("-" * (MAX_DEPTH + 1) + "a", "Too many parentheses within each other: at most 20.", 20),
    ],
)
def test_an_error_names_the_problem_and_its_place(text, problem, start):
    with pytest.raises(QueryError) as refused:
        parse(text)

    assert (refused.value.problem, refused.value.span.start) == (problem, start)


def test_an_operator_is_what_the_condition_has():
    assert parse("firmware＜4.8").operator is Operator.BELOW
