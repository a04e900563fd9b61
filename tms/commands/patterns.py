"""Patterns of arguments: the regular expressions whose check takes bounded time. Pure.

Python's engine tries every way in which a pattern may match. Here a repetition repeats one character or class, so the
ways can be counted: a repetition multiplies them by how many lengths it may have, an alternative or an optional group
by two. As in JSON Schema, `$` is the end of the text, and `\\d` and `\\w` know ASCII only.
"""

import re
from functools import lru_cache

MAX_PATTERN = 200
TOKEN = re.compile(
    r"""
    (?: \[\^?(?: \\[dDsSwW] | \\[^A-Za-z0-9] | (?!--|&&|~~|\|\|)[^\\\[\]] )+\]
      | \\[dDsSwW] | \\[^A-Za-z0-9] | [^\\\[\](){}*+?|^$]
    ) (?P<repeat> [*+?]\?? | \{ (?P<least>[0-9]{1,4}) (?P<to>, (?P<most>[0-9]{1,4})? )? \}\?? )?
    | (?P<open> \((?:\?:)? ) | (?P<close> \)(?P<optional>\?\??)? ) | \| | \^ | \$
    """,
    re.VERBOSE,
)
"""A character or class with its repetition, or a sign. Python will read `--` and the like in a class in another way."""
ADVICE = (
    "use characters, classes such as [A-Z], groups, |, ^, $, and repetitions of one character or class; "
    "a group may be followed by ? only, and other signs need a backslash"
)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Raises ValueError for a pattern that is refused."""
    text = "".join(r"\Z" if token[0] == "$" else token[0] for token in _tokens(pattern))
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from None


def pattern_cost(pattern: object, longest: int) -> int:
    """The number of steps for a text of `longest` characters. Raises ValueError for a pattern that is refused."""
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise ValueError(f"must be a text of at most {MAX_PATTERN} characters")
    compiled(pattern)
    tokens = _tokens(pattern)
    ways, needed, depth, starts = 1, 0, 0, 1 if pattern.startswith("^") else longest + 1
    for token in tokens:
        depth += bool(token["open"]) - bool(token["close"])
        least, most = _lengths(token, longest)
        ways *= max(most - least, 0) + 1
        needed += least
        if token[0] == "|" or token["optional"]:
            ways *= 2
        if token[0] == "|" and depth == 0:  # ^ is of the first alternative only
            starts = longest + 1
    # Each way compares again what comes before its end.
    return ways * starts * (len(tokens) + needed)


def _tokens(pattern: str) -> list[re.Match[str]]:
    found, at = [], 0
    while at < len(pattern):
        token = TOKEN.match(pattern, at)
        if token is None:
            raise ValueError(f"cannot be used from {pattern[at : at + 10]!r} on; {ADVICE}")
        found.append(token)
        at = token.end()
    return found


def _lengths(token: re.Match[str], longest: int) -> tuple[int, int]:
    """How often at least and at most the character of this token is repeated."""
    repeat = token["repeat"] or "{0}"
    if repeat[0] != "{":
        return (1 if repeat[0] == "+" else 0), (1 if repeat[0] == "?" else longest)
    least = int(token["least"] or 0)
    if not token["to"]:
        return least, least
    return least, min(int(token["most"] or longest), longest)
