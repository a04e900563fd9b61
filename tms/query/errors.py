"""The error of a query: what is wrong, where, and what would be right."""

from dataclasses import dataclass

from django.utils.translation import gettext

from tms.query.tree import TextRange


@dataclass(frozen=True, slots=True)
class QueryCorrection:
    """Text that would be right instead of the wrong part."""

    text: str
    span: TextRange

    def of(self, query: str) -> str:
        """The whole query with the correction made."""
        return query[: self.span.start] + self.text + query[self.span.end :]


class QueryError(ValueError):
    """A query that cannot be read.

    `problem` is a sentence for people in the active language; `expected` has examples of what could stand there.
    """

    def __init__(
        self, problem: str, span: TextRange, expected: tuple[str, ...] = (), correction: str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.span = span
        self.expected = expected
        self.correction = None if correction is None else QueryCorrection(correction, span)

    @property
    def column(self) -> int:
        """The position as people count: the first character is 1."""
        return self.span.start + 1

    def __str__(self) -> str:
        parts = [gettext("%(problem)s (column %(column)d)") % {"problem": self.problem, "column": self.column}]
        if self.correction and self.correction.text:
            parts.append(gettext("Did you mean %(correction)s?") % {"correction": self.correction.text})
        elif self.expected:
            parts.append(gettext("Possible: %(expected)s.") % {"expected": ", ".join(self.expected)})
        return " ".join(parts)
