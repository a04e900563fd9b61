import json
import urllib.request
from collections.abc import Sequence
from urllib.error import URLError

from benchmarks.load.dialect import TmsDialect
from benchmarks.systems.system import System, python


class Tms(System):
    """One process of TMS, with its clock, as it comes: only the limit that would refuse the load is raised."""

    name = "tms"
    dialect = TmsDialect()
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

    @property
    def seed(self) -> Sequence[str]:
        return python("-m", "benchmarks.systems.seed_tms")

    @property
    def serve(self) -> Sequence[str]:
        return python("manage.py", "serve", "--clock", "--port", str(self.port))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/", timeout=5) as answer:
                return json.load(answer) is not None
        except (URLError, ConnectionError):
            return False
