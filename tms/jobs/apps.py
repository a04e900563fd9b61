"""The jobs app: one command on many terminals, with limits, guards and schedules."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "tms.jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        # Its models are loaded by now.
        from tms.approvals import kinds
        from tms.commands.uses import command_uses
        from tms.fleet.groups import uses
        from tms.fleet.terminals.lifecycle_changes import lifecycle_preview
        from tms.jobs import services
        from tms.jobs.command_uses import open_jobs
        from tms.jobs.models import Job

        command_uses.connect(open_jobs)
        lifecycle_preview.connect(services.preview_lifecycle)
        kinds.MODULES.add("tms.jobs.approvals")
        uses.add_queries(lambda person: Job.objects.open() if person is None else Job.objects.open().of(person))
