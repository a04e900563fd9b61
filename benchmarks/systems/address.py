from dataclasses import dataclass

from benchmarks.load.dialect import Dialect


@dataclass(frozen=True)
class Address:
    """What a load generator needs to reach a system."""

    dialect: Dialect
    host: str
    port: int
    cookie: str
    """Of a person who is signed in."""

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"
