"""Variables in values: `{{ site.phone }}` becomes what is stored of the site. A plain substitution, done once. Pure.

| variable | is |
|---|---|
| `region` | the name of the region |
| `site.code`, `site.name`, `site.name_ja`, `site.address`, `site.time_zone` | of the site |
| `site.phone` | the number of the site's first contact that has one |
| `site.` and the name of an attribute of sites | its value there |
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

OF_SITES = ("code", "name", "name_ja", "address", "time_zone", "phone")
KNOWN = ("region", *(f"site.{name}" for name in OF_SITES))
VARIABLE = re.compile(r"\{\{([^{}]{0,80})\}\}")

type Variables = Mapping[str, str]


def names_in(value: Any) -> set[str]:
    """The names of the variables in all texts of a value, known or not."""
    return {found[1].strip() for text in _texts(value) for found in VARIABLE.finditer(text)}


def rendered(value: Any, variables: Variables) -> Any:
    """The value with its variables replaced; one that has no value becomes nothing."""
    match value:
        case str():
            return VARIABLE.sub(lambda found: variables.get(found[1].strip(), ""), value)
        case list():
            return [rendered(each, variables) for each in value]
        case dict():
            return {name: rendered(each, variables) for name, each in value.items()}
    return value


def complaint(value: Any, known: Collection[str]) -> str:
    """What is wrong with the variables in a value; empty if nothing is."""
    for name in sorted(names_in(value)):
        if name not in known:
            nearest = get_close_matches(name, known, 1)
            return f"unknown variable {name[:80]!r}; " + (
                f"did you mean {{{{ {nearest[0]} }}}}?" if nearest else f"known are {', '.join(sorted(known)[:20])}"
            )
    return ""


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for each in value.values():
                yield from _texts(each)
