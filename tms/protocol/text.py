"""Cleans text from outside that people read: removes characters that make it look like something else."""

import re
from typing import Any

LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
REMOVED = re.compile("[\x01-\x08\x0e-\x1b\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]")
"""Control characters, bidirectional embeddings, overrides and isolates (Unicode UAX #9), deprecated format characters,
byte order marks and annotations.

Joiners and marks stay: emoji, Arabic, Hebrew and Indic scripts need them. U+0000 and lone surrogates are left to the
code that stores the text, which rejects them, or omits them with `storable`.
"""
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
"""What PostgreSQL accepts in no text and no JSON value."""


def clean(text: str, *, keeps_lines: bool = False) -> str:
    """`text` as it may be stored and shown; linear. Line breaks become `\\n` or, unless they are kept, a space."""
    if text.isprintable():
        return text
    text = LINE_BREAK.sub("\n" if keeps_lines else " ", text)
    return REMOVED.sub("", text if keeps_lines else text.replace("\t", " "))


def is_storable(text: str) -> bool:
    """Whether a database can store it, and compare with it."""
    return not UNSTORABLE.search(text)


def storable(text: str) -> str:
    """`text` without what no database stores."""
    return UNSTORABLE.sub("", text)


def clean_tree(value: Any, *, keeps_lines: bool = False) -> Any:
    """Cleans all strings of a JSON value in place, including names of members. Without recursion, because it may be
    deep.
    """
    whole = [value]
    pending: list[Any] = [whole]
    while pending:
        container = pending.pop()
        members = list(container.items() if isinstance(container, dict) else enumerate(container))
        if isinstance(container, dict):
            container.clear()
        for name, member in members:
            key = clean(name) if isinstance(name, str) else name
            container[key] = clean(member, keeps_lines=keeps_lines) if isinstance(member, str) else member
            if isinstance(member, list | dict):
                pending.append(member)
    return whole[0]


def is_clean(text: str) -> bool:
    """Whether it may serve as an id, which must not be cleaned: that would make another one of it."""
    return clean(text) == text
