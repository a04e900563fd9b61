"""Deleted rows inside a token."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class PreciseEncoder(DjangoJSONEncoder):
    """Instants with their microseconds, which Django's own encoder cuts off."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime | time) else super().default(o)


def serialize(rows: Iterable[models.Model]) -> str:
    """Rows for `serializers.deserialize("json", …)`, which makes equal rows of them."""
    text: str = serializers.serialize("json", rows, cls=PreciseEncoder)
    return text
