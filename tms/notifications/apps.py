"""The notifications app: who is notified of what, where, and when."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "tms.notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from tms.accounts import undo  # its models are loaded by now
        from tms.accounts.me import panels
        from tms.alerts import escalation_plans, notification_history
        from tms.metrics import instruments
        from tms.notifications import rollout_recipients
        from tms.notifications.deliveries import history
        from tms.notifications.metrics import DeliveryCollector, begin_at_zero
        from tms.notifications.policies import plans
        from tms.notifications.rotations import on_call_history
        from tms.rollouts.pages import notified
        from tms.shifts import on_call

        instruments.COLLECTORS.append(DeliveryCollector)
        begin_at_zero()
        undo.MODULES.add("tms.notifications.undo")
        notification_history.register_source(history.notifications_of, of_incidents=history.notifications_of_incident)
        escalation_plans.register_source(plans.plans_of)
        notified.register_source(rollout_recipients.notified_of)
        panels.MODULES.add("tms.notifications.push.views")
        on_call.register_source(on_call_history.on_call_between)
