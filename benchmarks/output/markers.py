"""Text between markers in a page of the documentation."""

import re


def fill(page: str, begin: str, end: str, text: str) -> str:
    """`page` with the text between two markers replaced."""
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)
