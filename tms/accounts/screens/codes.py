"""Pairing codes: eight characters that nobody confuses on a television, and that form no words."""

import secrets

ALPHABET = "CDFGHJKMNPQRTVWXY34679"
"""Letters without vowels, and without one of each pair that looks alike: 0 O, 1 I L, 2 Z, 5 S, 8 B."""
LENGTH = 8
HALF = LENGTH // 2


def new_code() -> str:
    """One of 5 × 10¹⁰."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def format_code(code: str) -> str:
    """The code as it is shown: `XKCD-7RM4`."""
    return f"{code[:HALF]}-{code[HALF:]}"


def parse(text: str) -> str:
    """The code that a person typed, in any case and with any separators; empty if it cannot be one."""
    found = "".join(character for character in text[:40].upper() if character not in " -–—_.\u3000")
    return found if len(found) == LENGTH and set(found) <= set(ALPHABET) else ""
