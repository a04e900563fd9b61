"""Pages of regions."""

from django.urls import path

from tms.fleet.regions import views

urlpatterns = [
    path("regions/", views.regions, name="regions"),
    path("regions/new/", views.new_region, name="new-region"),
    path("regions/<int:pk>/", views.region, name="region"),
    path("regions/<int:pk>/delete/", views.delete_region, name="delete-region"),
]
