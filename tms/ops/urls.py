from django.urls import path

from tms.ops import views
from tms.ops.objective import pages

urlpatterns = [
    path("health/", views.health, name="health"),
    path("objective/", pages.objective, name="objective"),
    path("metrics", views.metrics, name="metrics"),
]
