"""The textbook application, as a system under test."""

from collections.abc import Sequence

from benchmarks.load.client_protocol import TextbookProtocol
from benchmarks.systems.system import System, python
from deploy.processes import HOST


class Textbook(System):
    """`benchmarks/textbook` on plain daphne."""

    name = "textbook"
    protocol = TextbookProtocol()
    report_table = "textbook_report"
    bearable_per_second = 200
    bearable_deliveries_per_second = 4_000

    @property
    def env(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "benchmarks.textbook.settings",
            "TEXTBOOK_DATABASE_URL": self.database_url,
            "TEXTBOOK_REDIS_URL": self.redis_url,
        }

    @property
    def migrate(self) -> Sequence[str]:
        return python("-m", "django", "migrate", "--run-syncdb", "--verbosity", "0")

    @property
    def seed(self) -> Sequence[str]:
        return python("-m", "benchmarks.textbook.seed")

    @property
    def serve(self) -> Sequence[str]:
        where = ("-b", HOST, "-p", str(self.port))
        return python("-m", "daphne", *where, "benchmarks.textbook.asgi:application")
