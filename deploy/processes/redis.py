"""Redis as a process."""

from collections.abc import Sequence

import redis

from deploy.processes.programs import find
from deploy.processes.service import HOST, Service


class Redis(Service):
    """Redis without persistence: TMS needs none."""

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @property
    def command(self) -> Sequence[str]:
        options = ["--bind", HOST, "--port", str(self.port), "--dir", str(self.folder)]
        return [find("redis-server", package="redis-server"), *options, "--save", "", "--appendonly", "no"]

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
