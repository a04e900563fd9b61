"""The jobs app: one command on many terminals, with limits, guards and schedules."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "tms.jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from tms.approvals import kinds  # its models are loaded by now
        from tms.fleet.groups import uses
        from tms.jobs.models import Job

        kinds.MODULES.add("tms.jobs.approvals")
        uses.add_queries(lambda person: Job.objects.open() if person is None else Job.objects.open().of(person))
