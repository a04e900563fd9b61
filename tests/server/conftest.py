from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tests.server.process import ServerProcess


@pytest.fixture
def launch() -> Iterator[Callable[..., ServerProcess]]:
    """Starts processes without waiting: `launch(flow, **options)`, see serve.py."""
    with ExitStack() as processes:

        def launch(flow: Mapping[str, Any] | None = None, **options: Any) -> ServerProcess:
            process = ServerProcess(flow or {}, **options)
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
def shared() -> Iterator[list[ServerProcess]]:
    """Shared servers, one test after the other: a start takes longer than most tests."""
    idle: list[ServerProcess] = []
    yield idle
    for server in idle:
        server.discard()


@pytest.fixture
def server(shared: list[ServerProcess]) -> Iterator[ServerProcess]:
    """A clean server with the default limits; no test may stop it."""
    server = shared.pop() if shared else ServerProcess({})
    with ExitStack() as unless_renewed:
        unless_renewed.callback(server.discard)
        server.started()
        yield server
        server.renew()
        unless_renewed.pop_all()
    shared.append(server)
