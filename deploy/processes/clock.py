"""A clock as a process."""

from collections.abc import Sequence

from deploy.processes.service import HOST
from deploy.processes.tms_process import TmsProcess


class ClockProcess(TmsProcess):
    """`manage.py clock`: scheduled jobs. Its port serves only health and metrics."""

    @property
    def arguments(self) -> Sequence[str]:
        return ["clock", "--host", HOST, "--port", str(self.port)]

    @property
    def is_leader(self) -> bool:
        return self.is_running and "tms_clock_leads 1.0" in self.get("/metrics")[1]
