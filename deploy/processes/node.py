"""A node as a process."""

from collections.abc import Sequence

from deploy.processes.service import HOST
from deploy.processes.tms_process import TmsProcess


class NodeProcess(TmsProcess):
    """`manage.py serve`: sockets and pages."""

    @property
    def arguments(self) -> Sequence[str]:
        return ["serve", "--host", HOST, "--port", str(self.port)]

    @property
    def link(self) -> str:
        return f"ws://{HOST}:{self.port}/ws/terminal/"

    @property
    def stop_deadline_s(self) -> float:  # type: ignore[override]
        """The spread of the drain and 30 s more, as a supervisor should allow."""
        return float(self.environment.get("TMS_DRAIN_SPREAD_S", 30)) + 30
