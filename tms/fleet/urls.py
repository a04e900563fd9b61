"""The URL at which new terminals enrol."""

from django.urls import path

from tms.fleet.enrolment import redeem_view

urlpatterns = [
    path("enrol", redeem_view.enrol, name="api-enrol"),
]
