from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from prometheus_client import REGISTRY


class NotificationsConfig(AppConfig):
    name = "tms.notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from tms.notifications.collector import DeliveryCollector  # the models it counts are loaded by now

        REGISTRY.register(DeliveryCollector())
