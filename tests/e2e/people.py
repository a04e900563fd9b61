"""People who use TMS in the tests with a browser."""

from collections.abc import Awaitable, Callable

from tests.e2e.seeded_tms import Person

type Enter = Callable[..., Awaitable[Person]]
