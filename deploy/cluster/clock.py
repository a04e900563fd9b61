from collections.abc import Sequence

from deploy.cluster.process import TmsProcess


class ClockProcess(TmsProcess):
    """`manage.py clock`: what time does."""

    arguments: Sequence[str] = ("clock",)

    @property
    def url(self) -> str:
        return ""

    def answers(self) -> bool:
        return self.is_running
