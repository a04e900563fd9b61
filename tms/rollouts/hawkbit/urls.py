"""URLs at which updaters poll."""

from django.urls import path

from tms.rollouts.hawkbit import views

BASE = "ddi/<str:tenant>/controller/v1/<str:uid>"

urlpatterns = [
    path(BASE, views.poll, name="ddi-poll"),
    path(f"{BASE}/configData", views.attributes, name="ddi-attributes"),
    path(f"{BASE}/deploymentBase/<int:action>", views.deployment, name="ddi-deployment"),
    path(f"{BASE}/deploymentBase/<int:action>/feedback", views.deployment_feedback, name="ddi-feedback"),
    path(f"{BASE}/cancelAction/<int:action>", views.cancellation, name="ddi-cancel"),
    path(f"{BASE}/cancelAction/<int:action>/feedback", views.cancellation_feedback, name="ddi-cancel-feedback"),
]
