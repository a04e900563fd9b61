"""What checks run against."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from deploy.check.http_client import HttpClient


@dataclass
class CheckTarget:
    """What the checks run against, and with which limits and credentials."""

    url: str = ""
    insecure: bool = False
    """Accept a certificate without a trusted issuer, such as that of `make cluster`."""
    slow_ms: float = 500
    requests: int = 300
    name: str = "tms"
    """The prefix of every resource in AWS."""
    alarms_before: frozenset[str] | None = frozenset()
    """Names of the alarms that were firing before the deployment; None if unknown."""
    terminals_before: float | None = None
    """How many terminals were connected before the deployment; None if unknown."""
    accepted: Mapping[str, str] = field(default_factory=dict)
    """Name of a check → why its failure is accepted."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _seen: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def user(self) -> HttpClient:
        """The client of the probe account; it keeps its cookies from one check to the next."""
        return self.anonymous()

    def anonymous(self) -> HttpClient:
        return HttpClient(self.url, insecure=self.insecure)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443
