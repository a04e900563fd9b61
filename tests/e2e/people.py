from collections.abc import Awaitable, Callable

from tests.e2e.house import Person

type Enter = Callable[..., Awaitable[Person]]
