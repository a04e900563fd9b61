"""How long the check of a regular expression can take at worst. Pure.

Python's engine tries every way in which a pattern may match. Here a repetition repeats one character or character
class, so the ways can be counted: each repetition multiplies them by how many lengths it may have, each alternative
adds its own. Repetitions within repetitions, references back and looking around are refused.
"""

import re
import re._constants as ops  # type: ignore[import-not-found]  # the parser of the standard library; has no stubs
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable
from typing import Any

MAX_PATTERN = 200
RESERVED = ("[[", "--", "&&", "~~", "||")
SINGLE = (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY)
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)


def pattern_cost(pattern: object, longest: int) -> int:
    """The number of steps for a text of `longest` characters. Raises ValueError for a pattern that is refused."""
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise ValueError(f"must be a text of at most {MAX_PATTERN} characters")
    if found := next((pair for pair in RESERVED if pair in pattern), ""):
        raise ValueError(f"may not contain {found}, which Python will read in another way; write it with a backslash")
    try:
        parsed = parser.parse(pattern)
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    is_anchored = bool(parsed) and parsed[0] == (ops.AT, ops.AT_BEGINNING)
    return _ways(parsed, longest) * (1 if is_anchored else longest + 1) * max(len(parsed), 1)


def _ways(parsed: Iterable[tuple[Any, Any]], longest: int) -> int:
    ways = 1
    for operator, argument in parsed:
        ways *= _ways_of(operator, argument, longest)
    return ways


def _ways_of(operator: Any, argument: Any, longest: int) -> int:
    if operator in SINGLE or operator is ops.AT:
        return 1
    if operator is ops.SUBPATTERN:
        return _ways(argument[-1], longest)
    if operator is ops.BRANCH:
        return sum(_ways(each, longest) for each in argument[1])
    if operator in REPEATS:
        return _ways_of_repeat(argument, longest)
    raise ValueError("may not refer back or look around; use characters, classes, groups, | and repetitions")


def _ways_of_repeat(argument: tuple[int, int, Any], longest: int) -> int:
    least, most, body = argument
    is_single = len(body) == 1 and body[0][0] in SINGLE
    if not is_single and (least, most) != (0, 1):
        raise ValueError("may repeat one character or class only, such as [A-Z0-9]+; a group only with ?")
    lengths = max(min(most, longest) - least, 0) + 1
    # Every length is tried, and what comes before its end is compared again.
    return (lengths * max(_ways(body, longest), 1)) if is_single else 1 + _ways(body, longest)
