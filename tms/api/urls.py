from django.urls import path

from tms.api import enrolment

urlpatterns = [
    path("enrol", enrolment.enrol, name="api-enrol"),
]
