"""URLs of the fleet: where new terminals enrol, and the pages with which people manage it."""

from django.urls import path

from tms.fleet.enrolment import redeem_view, site_keys
from tms.fleet.enrolment import views as enrolment

urlpatterns = [
    path("api/v1/enrol", redeem_view.enrol, name="api-enrol"),
    path("enrol/", enrolment.enrol, name="enrol"),
    path("enrol/uid/", enrolment.suggest_uid, name="suggest-uid"),
    path("enrol/many/", enrolment.enrol_many, name="enrol-many"),
    path("enrol/factory/", enrolment.enrol_factory, name="enrol-factory"),
    path("enrol/tokens/<int:pk>/withdraw/", enrolment.withdraw_enrol_token, name="withdraw-enrol-token"),
    path("enrol/<str:uid>/token/", enrolment.enrol_token, name="enrol-token"),
    path("enrol/<str:uid>/waiting/", enrolment.enrol_waiting, name="enrol-waiting"),
    path("sites/<str:code>/keys/", site_keys.rotate_site_keys, name="rotate-site-keys"),
]
