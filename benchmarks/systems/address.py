from dataclasses import dataclass

from benchmarks.load.client_protocol import ClientProtocol


@dataclass(frozen=True)
class Address:
    """The addresses of a system, for a load generator."""

    protocol: ClientProtocol
    host: str
    ports: tuple[int, ...]
    """Of each server process."""
    cookie: str
    """Of a signed-in person."""
    redis_url: str = ""

    def base(self, turn: int = 0) -> str:
        """Of one of the processes, in turn."""
        return f"{self.host}:{self.ports[turn % len(self.ports)]}"
