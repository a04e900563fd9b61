import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from deploy.check.http_client import Visitor


@dataclass
class Place:
    """What is looked at, and with what."""

    url: str = ""
    insecure: bool = False
    """A certificate that nobody vouches for is allowed: that of `make cluster`."""
    slow_ms: float = 500
    requests: int = 300
    name: str = "tms"
    """Of everything in AWS."""
    alarms_before: frozenset[str] | None = frozenset()
    """Names of the alarms that rang before the deployment; None when that is not known."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _seen: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def person(self) -> Visitor:
        """Keeps the cookies of the probe account from one check to the next."""
        return self.stranger()

    def stranger(self) -> Visitor:
        return Visitor(self.url, insecure=self.insecure)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443
