"""The URL at which new terminals enrol."""

from django.urls import path

from tms.fleet.credentials import enrolment_view

urlpatterns = [
    path("enrol", enrolment_view.enrol, name="api-enrol"),
]
