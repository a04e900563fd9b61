"""Pages that change sites. The live pages of sites are among the boards."""

from django.urls import path

from tms.fleet.sites import contacts, views

urlpatterns = [
    path("sites/new/", views.new_site, name="new-site"),
    path("sites/<str:code>/edit/", views.edit_site, name="edit-site"),
    path("sites/<str:code>/hours/", views.site_hours, name="site-hours"),
    path("sites/<str:code>/contacts/", contacts.site_contacts, name="site-contacts"),
]
