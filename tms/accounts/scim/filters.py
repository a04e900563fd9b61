"""SCIM filters as conditions of the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple, Protocol

from django.db.models import Model, Q, QuerySet
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ScimFilter,
    ValuePath,
)

from tms.accounts.models import Team, User
from tms.accounts.scim.errors import ScimError
from tms.protocol.text import is_storable

MAX_TERMS = 20
NOTHING = Q(pk__in=())
LOOKUPS = {
    CompareOperator.co: "contains",
    CompareOperator.sw: "startswith",
    CompareOperator.ew: "endswith",
}


class FilterColumn(Protocol):
    """An attribute that filters may name."""

    def equal(self, value: Any) -> Q: ...

    def like(self, lookup: str, value: str) -> Q: ...

    def present(self) -> Q: ...


class TextColumn(NamedTuple):
    name: str
    is_exact: bool = False
    """Whether upper and lower case differ."""

    def equal(self, value: Any) -> Q:
        return Q(**{f"{self.name}__{'exact' if self.is_exact else 'iexact'}": value}) if value else NOTHING

    def like(self, lookup: str, value: str) -> Q:
        return Q(**{f"{self.name}__{'' if self.is_exact else 'i'}{lookup}": value})

    def present(self) -> Q:
        return Q(**{f"{self.name}__gt": ""})


class NameColumn(NamedTuple):
    """A username or an address, compared by its normal form."""

    name: str

    def equal(self, value: Any) -> Q:
        is_name = isinstance(value, str) and value != ""
        return Q(pk__in=User.objects.keys_of(value, column=self.name)) if is_name else NOTHING

    def like(self, lookup: str, value: str) -> Q:
        return Q(**{f"{self.name}__i{lookup}": value})

    def present(self) -> Q:
        return Q(**{f"{self.name}__gt": ""})


class FlagColumn(NamedTuple):
    name: str

    def equal(self, value: Any) -> Q:
        return Q(**{self.name: value}) if isinstance(value, bool) else NOTHING

    def like(self, lookup: str, value: str) -> Q:
        raise unsupported("this attribute is true or false")

    def present(self) -> Q:
        return Q()


class KeyColumn(NamedTuple):
    """The id of the resource."""

    prefix: str

    def equal(self, value: Any) -> Q:
        key = key_of(value, self.prefix)
        return NOTHING if key is None else Q(pk=key)

    def like(self, lookup: str, value: str) -> Q:
        raise unsupported("compare an id with eq")

    def present(self) -> Q:
        return Q()


class MemberColumn(NamedTuple):
    """The ids of the people of a team."""

    prefix: str

    def equal(self, value: Any) -> Q:
        key = key_of(value, self.prefix)
        return NOTHING if key is None else self._holding(Team.members.through.objects.filter(user=key))

    def like(self, lookup: str, value: str) -> Q:
        raise unsupported("compare an id with eq")

    def present(self) -> Q:
        return self._holding(Team.members.through.objects.all())

    @staticmethod
    def _holding(memberships: QuerySet[Any]) -> Q:
        return Q(pk__in=memberships.values("team"))


class FixedColumn(NamedTuple):
    """An attribute that has the same value in every resource that has another one."""

    value: Any
    condition: Q

    def equal(self, value: Any) -> Q:
        return self.condition if value == self.value else NOTHING

    def like(self, lookup: str, value: str) -> Q:
        raise unsupported("compare this attribute with eq")

    def present(self) -> Q:
        return self.condition


def unsupported(why: str) -> ScimError:
    return ScimError(400, why, kind="invalidFilter")


def key_of(value: Any, prefix: str) -> int | None:
    """The primary key in an id; None if it is none of this kind."""
    digits = value.removeprefix(prefix) if isinstance(value, str) and value.startswith(prefix) else ""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


def filtered[Row: Model](
    rows: QuerySet[Row], by: ScimFilter[Any] | None, columns: Mapping[str, FilterColumn]
) -> QuerySet[Row]:
    if by is None:
        return rows
    if _terms(by.ast) > MAX_TERMS:
        raise unsupported(f"a filter has at most {MAX_TERMS} comparisons")
    return rows.filter(_condition(by.ast, columns, ""))


def _terms(node: FilterNode) -> int:
    """The number of comparisons. The library limits the depth."""
    if isinstance(node, LogicalExpr):
        return sum(_terms(term) for term in node.terms)
    if isinstance(node, Not):
        return _terms(node.expr)
    return _terms(node.val_filter) if isinstance(node, ValuePath) else 1


def _condition(node: FilterNode, columns: Mapping[str, FilterColumn], within: str) -> Q:
    """The condition of a node. `within`: the attribute whose values a filter in brackets selects, with a dot."""
    match node:
        case LogicalExpr():
            conditions = [_condition(term, columns, within) for term in node.terms]
            return reduce(and_ if node.op == LogicalOperator.and_ else or_, conditions)
        case Not():
            return ~_condition(node.expr, columns, within)
        case ValuePath():
            return _condition(node.val_filter, columns, f"{node.attr_path.attr}.".lower())
        case Present():
            return _column(node.attr_path, columns, within).present()
        case Comparison():
            return _comparison_condition(_column(node.attr_path, columns, within), node)
    raise unsupported("unsupported filter")


def _column(path: AttrPath, columns: Mapping[str, FilterColumn], within: str) -> FilterColumn:
    name = f"{within}{path.attr}{'.' + path.sub_attr if path.sub_attr else ''}".lower()
    if name not in columns:
        raise unsupported(f"TMS does not filter by {name}; it filters by {', '.join(columns)}")
    return columns[name]


def _comparison_condition(column: FilterColumn, node: Comparison) -> Q:
    if isinstance(node.value, str) and not is_storable(node.value):
        raise unsupported("a string must not contain U+0000 or half of a surrogate pair")
    if node.op == CompareOperator.eq:
        return column.equal(node.value)
    if node.op == CompareOperator.ne:
        return ~column.equal(node.value)
    if node.op not in LOOKUPS or not isinstance(node.value, str):
        raise unsupported("use eq, ne, co, sw, ew or pr")
    return column.like(LOOKUPS[node.op], node.value)
