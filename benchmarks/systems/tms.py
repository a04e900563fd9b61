"""TMS, as a system under test."""

import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError

from benchmarks.load.client_protocol import TmsProtocol
from benchmarks.systems.system import System, python
from deploy.processes import HOST, load_sql

TABLES = "BENCHMARK_TABLES"
"""Names a dump of an empty TMS in the environment, which is loaded in place of migrating. Tests have one at hand."""


class Tms(System):
    """One process of TMS on daphne, with its clock and defaults; only limits that would refuse the load are raised."""

    name = "tms-daphne"
    protocol = TmsProtocol()
    report_table = "telemetry_report"

    @property
    def env(self) -> dict[str, str]:
        return {
            "TMS_DATA_DIR": str(self.folder),
            "TMS_DATABASE_URL": self.database_url,
            "TMS_REDIS_URL": self.redis_url,
            "TMS_NODE": "bench",
            "TMS_FRAMES_PER_MINUTE": "1000000",
            "TMS_FRAMES_BURST": "1000",
            "TMS_DRAIN_SPREAD_S": "0.2",
            "TMS_LOG_FORMAT": "json",
        }

    @property
    def migrate(self) -> Sequence[str]:
        return python("manage.py", "migrate", "--verbosity", "0")

    def create_tables(self) -> None:
        if dump := os.environ.get(TABLES):
            load_sql(self.database_url, Path(dump))
        else:
            super().create_tables()

    @property
    def seed(self) -> Sequence[str]:
        return python("-m", "benchmarks.systems.seed_tms")

    @property
    def serve(self) -> Sequence[str]:
        return python("manage.py", "serve", "--clock", "--port", str(self.port))

    @property
    def serve_broadcast(self) -> Sequence[str]:
        return python("-m", "benchmarks.systems.serve_broadcast", "--clock", "--port", str(self.port))

    def _answers(self) -> bool:
        """Whether it answers 200, which it also does while it reports a problem, as it always does without a clock."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/health/?strict", timeout=5):
                return True
        except HTTPError:
            return True
        except (URLError, ConnectionError, TimeoutError):  # a busy machine may not answer in time: ask again
            return False


class Unattended(Tms):
    """TMS without a clock, so that a seeded fleet does not change."""

    @property
    def serve(self) -> Sequence[str]:
        return python("manage.py", "serve", "--port", str(self.port))
