"""`__in` over integers that ignores values outside the range of the column's type, as Django's other lookups do.

Otherwise a number of 2^63 in a form reaches the database driver, which raises OverflowError or DataError.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import IntegerField
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


class IntegerIn(In):
    def process_rhs(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        if self.rhs_is_direct_value():
            lowest, highest = connection.ops.integer_field_range(self.lhs.output_field.get_internal_type())
            self.rhs = [value for value in self.rhs if _fits(value, lowest, highest)]
        return super().process_rhs(compiler, connection)


def register() -> None:
    IntegerField.register_lookup(IntegerIn)


def _fits(value: object, lowest: int | None, highest: int | None) -> bool:
    if not isinstance(value, int):  # an expression, or None
        return True
    return (lowest is None or value >= lowest) and (highest is None or value <= highest)
