"""Where a system under test is reached."""

from dataclasses import dataclass

from benchmarks.load.client_protocol import ClientProtocol


@dataclass(frozen=True)
class Address:
    """The addresses of a system, for a load generator."""

    protocol: ClientProtocol
    host: str
    ports: tuple[int, ...]
    """The port of each server process."""
    cookie: str
    """The cookie of a signed-in person."""
    redis_url: str = ""

    def base(self, turn: int = 0) -> str:
        """The host and port of one of the processes, in turn."""
        return f"{self.host}:{self.ports[turn % len(self.ports)]}"
