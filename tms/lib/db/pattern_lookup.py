"""The lookup `like`: a text matches a pattern in which `*` stands for any characters, ignoring case."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup, TextField
from django.db.models.functions import Upper
from django.db.models.sql.compiler import SQLCompiler

ANY = "*"
ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_", ANY: "%"})


class Like(Lookup):
    lookup_name = "like"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, column_values = compiler.compile(Upper(self.lhs))
        return f"{column} LIKE UPPER(%s) ESCAPE '\\'", (*column_values, str(self.rhs).translate(ESCAPES))


def register() -> None:
    for field in (CharField, TextField):
        field.register_lookup(Like)
