"""The normal form by which usernames and e-mail addresses are compared, and which of them look alike.

The database cannot do it: what it takes for equal depends on its locale (with UTF-8, `ı` and `i` are one letter).
"""

import unicodedata
from collections.abc import Mapping
from functools import cache

AMBIGUOUS = str.maketrans({"1": "l", "|": "l", "i": "l", "0": "o"})
"""Characters of ASCII that look alike in some fonts. Among ASCII names they stay different: user1 and userl."""


def normal(text: str) -> str:
    """A form that is equal for texts that differ only in case, width, ligatures or invisible characters (NFKC,
    case-folded).
    """
    if text.isascii():
        return text.lower().strip()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(each for each in folded if unicodedata.category(each) != "Cf").strip()


class Names:
    """Names with which many others are compared."""

    def __init__(self, *names: str) -> None:
        self._normal = frozenset(map(normal, names))
        self._look = frozenset(map(_look, names))
        self._foreign_look = frozenset(_look(name) for name in names if not name.isascii())

    def resemble(self, other: str) -> bool:
        """Whether people could take one of them for `other`."""
        if normal(other) in self._normal:
            return True
        looks = self._foreign_look if other.isascii() else self._look
        return bool(looks) and _look(other) in looks


def _look(text: str) -> str:
    """What is seen: equal for texts of other scripts, whose letters look like those of ASCII."""
    if not text.isascii():
        like = _letters()
        text = "".join(like.get(each, each) for each in unicodedata.normalize("NFKC", text))
    return normal(text).replace("i\u0307", "i").translate(AMBIGUOUS)


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
