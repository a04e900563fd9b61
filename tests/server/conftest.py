from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from typing import Any

import pytest

from tests.server.process import ServerProcess
from tms.server.choice import LIBRARIES


@pytest.fixture(params=LIBRARIES)
def on(request: pytest.FixtureRequest) -> str:
    """The server library: the guarantees hold on each."""
    return str(request.param)


@pytest.fixture
def launch(on: str) -> Iterator[Callable[..., ServerProcess]]:
    """Starts processes without waiting: `launch(flow, **options)`, see serve.py."""
    with ExitStack() as processes:

        def launch(flow: Mapping[str, Any] | None = None, **options: Any) -> ServerProcess:
            process = ServerProcess(flow or {}, on=on, **options)
            processes.callback(process.discard)
            return process

        yield launch


@pytest.fixture
def serve(launch: Callable[..., ServerProcess]) -> Callable[..., ServerProcess]:
    """Starts servers with other limits or options: `serve(max_blocked=1)`, `serve(options={...})`."""

    def serve(*, options: Mapping[str, Any] | None = None, **flow: Any) -> ServerProcess:
        server = launch(flow, **(options or {}))
        server.started()
        return server

    return serve


@pytest.fixture(scope="session")
def shared() -> Iterator[dict[str, list[ServerProcess]]]:
    """Shared servers, one test after the other: a start takes longer than most tests."""
    idle: dict[str, list[ServerProcess]] = {library: [] for library in LIBRARIES}
    yield idle
    for server in chain(*idle.values()):
        server.discard()


@pytest.fixture
def server(shared: dict[str, list[ServerProcess]], on: str) -> Iterator[ServerProcess]:
    """A clean server with the default limits; no test may stop it."""
    idle = shared[on]
    server = idle.pop() if idle else ServerProcess({}, on=on)
    with ExitStack() as unless_renewed:
        unless_renewed.callback(server.discard)
        server.started()
        yield server
        server.renew()
        unless_renewed.pop_all()
    idle.append(server)
