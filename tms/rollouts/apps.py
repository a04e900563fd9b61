"""The rollouts app: software and configuration for many terminals, in waves that stop by themselves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RolloutsConfig(AppConfig):
    name = "tms.rollouts"
    verbose_name = _("Rollouts")

    def ready(self) -> None:
        # Its models are loaded by now.
        from tms.approvals import kinds
        from tms.fleet.groups import uses
        from tms.jobs import runner as job_runner
        from tms.rollouts import runner
        from tms.rollouts.models import Rollout

        kinds.MODULES.add("tms.rollouts.approvals")
        job_runner.busy_sources.append(runner.busy_terminals)
        uses.add_queries(lambda person: Rollout.objects.open() if person is None else Rollout.objects.open().of(person))
