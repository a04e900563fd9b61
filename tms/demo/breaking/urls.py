"""URLs for breaking something in the demo."""

from django.urls import path

from tms.demo.breaking import views

urlpatterns = [
    path("demo/", views.break_something, name="break-something"),
    path("demo/break/", views.start_fault, name="start-fault"),
    path("demo/bad-rollout/", views.start_bad_rollout, name="start-bad-rollout"),
    path("demo/undo/<int:number>/", views.undo_fault, name="undo-fault"),
    path("demo/tour/end/", views.end_tour, name="end-tour"),
]
