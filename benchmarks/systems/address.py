from dataclasses import dataclass

from benchmarks.load.client_protocol import ClientProtocol


@dataclass(frozen=True)
class Address:
    """What a load generator needs to reach a system."""

    protocol: ClientProtocol
    host: str
    ports: tuple[int, ...]
    """Of each server process."""
    cookie: str
    """Of a person who is signed in."""
    redis_url: str = ""

    def base(self, turn: int = 0) -> str:
        """Of one of the processes, in turn."""
        return f"{self.host}:{self.ports[turn % len(self.ports)]}"
