"""The parser of queries: text to tree. It knows no fields.

The work is linear in the text, and the text is bounded in characters, terms and depth before anything is built.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from django.utils.translation import gettext
from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args
from lark.parsers.lalr_interactive_parser import InteractiveParser

from tms.query.errors import QueryError
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Operator, Part, TextRange, Value, Words

MAX_CHARACTERS = 10_000
MAX_TERMS = 200
MAX_DEPTH = 20
"""Parentheses and exclusions within each other."""
TERMS = frozenset({"VALUE", "WORD", "QUOTED"})
HALF_WIDTH = str.maketrans("：＜＞＝", ":<>=")


def parse(text: str) -> Part:
    """The tree of a query; an empty text is the query that everything matches.

    Raises QueryError with the position of the first mistake.
    """
    if len(text) >= MAX_CHARACTERS:
        problem = gettext("The query is too long: %(number)d characters, at most %(limit)d.")
        limits = {"number": len(text), "limit": MAX_CHARACTERS - 1}
        raise QueryError(problem % limits, TextRange(MAX_CHARACTERS - 1, len(text)))
    if not text.strip():
        return AllOf()
    interactive = _parser().parse_interactive(text)
    try:
        for _ in _within_limits(interactive.iter_parse()):
            pass
        tree: Part = interactive.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        at: Any = error.pos_in_stream
        raise _unreadable(text, at, interactive) from None
    except UnexpectedToken as error:
        raise _unexpected(text, error.token, interactive) from None
    return tree


@cache
def _parser() -> Lark:
    grammar = files("tms.query").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=TreeBuilder())


def _within_limits(tokens: Iterator[Token]) -> Iterator[Token]:
    """The tokens, as long as there are not too many terms and not too many of them within each other."""
    terms = depth = exclusions = 0
    for token in tokens:
        terms += token.type in TERMS
        exclusions = exclusions + 1 if token.type == "_NOT" else 0
        depth += (token.type == "_OPEN") - (token.type == "_CLOSE")
        if terms > MAX_TERMS:
            problem = gettext("The query has too many terms: at most %(limit)d.") % {"limit": MAX_TERMS}
            raise QueryError(problem, _span(token))
        if depth + exclusions > MAX_DEPTH:
            problem = gettext("Too many parentheses within each other: at most %(limit)d.") % {"limit": MAX_DEPTH}
            raise QueryError(problem, _span(token))
        yield token


class TreeBuilder(Transformer[Token, Part]):
    """Builds the tree while the parser reads, so that no recursion depends on the text."""

    @v_args(inline=True)
    def words(self, token: Token) -> Words:
        return Words(_unquoted(token), _span(token))

    @v_args(inline=True)
    def condition(self, field: Token, operator: Token, *values: Token) -> Comparison:
        sign = operator.translate(HALF_WIDTH).replace("=", ":") if len(operator) == 1 else str(operator)
        return Comparison(
            field=str(field),
            field_span=_span(field),
            operator=Operator(sign),
            operator_span=_span(operator),
            values=tuple(Value(_unquoted(value), _span(value), value.type == "QUOTED") for value in values),
        )

    @v_args(inline=True)
    def negation(self, part: Part) -> Negation:
        return Negation(part)

    def all_of(self, parts: list[Part]) -> Part:
        return AllOf(tuple(parts))

    def any_of(self, parts: list[Part]) -> Part:
        return AnyOf(tuple(parts))


def _unquoted(token: Token) -> str:
    return token[1:-1].replace('""', '"') if token.type == "QUOTED" else str(token)


def _span(token: Token) -> TextRange:
    start = token.start_pos or 0
    return TextRange(start, start + len(token))


def _unreadable(text: str, at: int, parser: InteractiveParser) -> QueryError:
    if text[at] == '"':
        return QueryError(gettext("The closing quotation mark is missing."), TextRange(at, len(text)), ('"…"',))
    return _misplaced(text[at], TextRange(at, at + 1), parser)


def _unexpected(text: str, token: Token, parser: InteractiveParser) -> QueryError:
    if token.type != "$END":
        return _misplaced(str(token), _span(token), parser)
    end = TextRange(len(text), len(text))
    if "_CLOSE" in _accepted(parser):
        return QueryError(gettext("A closing parenthesis is missing."), end, (")",), correction=")")
    missing = gettext("A value is missing.") if "VALUE" in _accepted(parser) else gettext("A condition is missing.")
    return QueryError(missing, end, _examples(parser))


def _misplaced(text: str, span: TextRange, parser: InteractiveParser) -> QueryError:
    problem = gettext("“%(text)s” cannot stand here.") % {"text": text[:20]}
    return QueryError(problem, span, _examples(parser))


def _examples(parser: InteractiveParser) -> tuple[str, ...]:
    """What could stand at the place where the parser stopped."""
    accepted = _accepted(parser)
    examples: dict[str, str] = {
        "OPERATOR": ":",
        "VALUE": gettext("a value"),
        "FIELD": gettext("a condition"),
        "WORD": gettext("a word"),
    }
    return tuple(example for name, example in examples.items() if name in accepted)


def _accepted(parser: InteractiveParser) -> set[Any]:
    return set(parser.accepts())  # type: ignore[no-untyped-call]
