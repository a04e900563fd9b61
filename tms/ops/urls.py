"""URLs of health, metrics and service levels."""

from django.urls import path

from tms.ops import views
from tms.ops.slo import views as slo_views

urlpatterns = [
    path("health/", views.health, name="health"),
    path("slo/", slo_views.slo, name="slo"),
    path("metrics", views.metrics, name="metrics"),
]
