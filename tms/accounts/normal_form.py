"""The normal form by which usernames and e-mail addresses are compared, and which of them look alike.

The database cannot do it: what it takes for equal depends on its locale (with UTF-8, `ı` and `i` are one letter).
"""

import unicodedata
from collections.abc import Mapping
from functools import cache

AMBIGUOUS = str.maketrans({"1": "l", "|": "l", "i": "l", "0": "o"})
"""Characters of ASCII that look alike in some fonts. Among ASCII names they stay different: user1 and userl."""


def normal(text: str) -> str:
    """Equal for texts that differ only in case, width, ligatures or invisible characters (NFKC, case-folded)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(each for each in folded if unicodedata.category(each) != "Cf").strip()


def look_alike(one: str, other: str) -> bool:
    """Whether people could take one name for the other."""
    if normal(one) == normal(other):
        return True
    return not (one.isascii() and other.isascii()) and _look(one) == _look(other)


def _look(text: str) -> str:
    """What is seen: equal for texts of other scripts, whose letters look like those of ASCII."""
    like = _letters()
    seen = "".join(like.get(each, each) for each in unicodedata.normalize("NFKC", text))
    return normal(seen).replace("i\u0307", "i").translate(AMBIGUOUS)


@cache
def _letters() -> Mapping[str, str]:
    """The ASCII characters that others look like (Unicode UTS #39). Read when the first such name is seen."""
    from confusable_homoglyphs.confusables import confusables_data

    found = {}
    for one, likes in confusables_data.items():
        seen = next((like["c"] for like in likes if like["c"].isascii()), None)
        if seen and len(one) == 1 and not one.isascii():
            found[one] = seen
    return found
