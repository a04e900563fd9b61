"""Equal parts of a time, and the number of the part that an instant lies in."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, IntegerField
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

MAX_BUCKETS = 2_000


class Bucket(NamedTuple):
    begins_at: datetime
    alerts: int = 0
    """How many opened within it."""
    incidents: int = 0
    outages: int = 0
    critical: int = 0
    """The number of alerts that were critical in the end."""


class BucketNumber(Func):
    """The number of the bucket that an instant lies in."""

    output_field = IntegerField()

    def __init__(self, at: Combinable, *, since_s: float, length_s: float) -> None:
        super().__init__(at)
        self.since_s, self.length_s = since_s, length_s

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """`date_part` returns a float; `extract` a numeric, which is much slower."""
        at, parameters = compiler.compile(self.source_expressions[0])
        return self._number(f"date_part('epoch', {at})"), parameters

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        at, parameters = compiler.compile(self.source_expressions[0])
        whole, part = f"CAST(strftime('%%s', {at}) AS integer)", f"CAST('0' || substr({at}, 20) AS real)"
        return self._number(f"{whole} + {part}"), (*parameters, *parameters)

    def _number(self, epoch: str) -> str:
        return f"CAST(floor(({epoch} - {self.since_s!r}) / {self.length_s!r}) AS integer)"


class Division(NamedTuple):
    """A time in equal parts."""

    since: datetime
    until: datetime
    buckets: int

    @classmethod
    def of(cls, since: datetime, until: datetime, buckets: int) -> Self:
        """Raises ValueError for an empty time or too many parts."""
        if not 0 < buckets <= MAX_BUCKETS or since >= until:
            raise ValueError(f"{buckets} buckets from {since} to {until}: expected 1 to {MAX_BUCKETS}, and a time")
        return cls(since, until, buckets)

    @property
    def length(self) -> timedelta:
        return (self.until - self.since) / self.buckets

    def number(self, at: Combinable) -> BucketNumber:
        """The bucket of an expression."""
        return BucketNumber(at, since_s=self.since.timestamp(), length_s=self.length.total_seconds())

    def filled(self, counts: Iterable[tuple[str, int, int]]) -> list[Bucket]:
        """All buckets in order. `counts`: a field of Bucket, the number of a bucket, and how many to add."""
        numbers: dict[int, dict[str, int]] = {}
        for field, bucket, number in counts:
            of_bucket = numbers.setdefault(min(max(bucket, 0), self.buckets - 1), {})
            of_bucket[field] = of_bucket.get(field, 0) + number
        return [Bucket(self.since + self.length * index, **numbers.get(index, {})) for index in range(self.buckets)]
