"""URLs of the pages of rollouts."""

from django.urls import path

from tms.rollouts.pages import list_views, new_views, rollout_views

urlpatterns = [
    path("rollouts/", list_views.rollouts, name="rollouts"),
    path("rollouts/new/", new_views.new_rollout, name="new-rollout"),
    path("rollouts/<int:pk>/", rollout_views.rollout, name="rollout"),
    path("rollouts/<int:pk>/export/", rollout_views.export_items, name="export-rollout"),
]
