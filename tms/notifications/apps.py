from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from prometheus_client import REGISTRY


class NotificationsConfig(AppConfig):
    name = "tms.notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from tms.alerts import told  # their models are loaded by now
        from tms.notifications import history
        from tms.notifications.collector import DeliveryCollector

        REGISTRY.register(DeliveryCollector())
        told.SOURCES.append(history.told_of)
