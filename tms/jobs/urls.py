"""URLs of the pages of jobs."""

from django.urls import path

from tms.jobs.pages import job_views, list_views, new_views

urlpatterns = [
    path("jobs/", list_views.jobs, name="jobs"),
    path("jobs/new/", new_views.new_job, name="new-job"),
    path("jobs/new/preview/", new_views.preview_job, name="preview-job"),
    path("jobs/<int:pk>/", job_views.job, name="job"),
    path("jobs/<int:pk>/pause/", job_views.pause_job, name="pause-job"),
    path("jobs/<int:pk>/resume/", job_views.resume_job, name="resume-job"),
    path("jobs/<int:pk>/cancel/", job_views.cancel_job, name="cancel-job"),
    path("jobs/<int:pk>/export/", job_views.export_items, name="export-job"),
]
