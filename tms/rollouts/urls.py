"""URLs of the pages of rollouts."""

from django.urls import path

from tms.rollouts.pages import action_views, list_views, new_views, rollout_views

urlpatterns = [
    path("rollouts/", list_views.rollouts, name="rollouts"),
    path("rollouts/new/", new_views.new_rollout, name="new-rollout"),
    path("rollouts/new/preview/", new_views.preview_rollout, name="preview-rollout"),
    path("rollouts/<int:pk>/", rollout_views.rollout, name="rollout"),
    path("rollouts/<int:pk>/export/", rollout_views.export_items, name="export-rollout"),
    path("rollouts/<int:pk>/pause/", action_views.pause_rollout, name="pause-rollout"),
    path("rollouts/<int:pk>/resume/", action_views.resume_rollout, name="resume-rollout"),
    path("rollouts/<int:pk>/stop/", action_views.stop_rollout, name="stop-rollout"),
    path("rollouts/<int:pk>/retry/", action_views.retry_items, name="retry-rollout"),
    path("rollouts/<int:pk>/confirm/", action_views.confirm_items, name="confirm-rollout"),
    path("rollouts/<int:pk>/start/", action_views.start_draft, name="start-rollout"),
    path("rollouts/<int:pk>/roll-back/", action_views.roll_back, name="roll-back-rollout"),
    path("rollouts/<int:pk>/continue/", action_views.continue_rollout, name="continue-rollout"),
    path("rollouts/<int:pk>/discard/", action_views.discard_draft, name="discard-rollout"),
    path("rollouts/<int:pk>/waves/<int:number>/approve/", action_views.approve_wave, name="approve-wave"),
]
