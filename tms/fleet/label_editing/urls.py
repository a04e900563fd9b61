"""URLs of the pages of tags and attributes."""

from django.urls import path

from tms.fleet.label_editing import views

urlpatterns = [
    path("labels/suggestions/", views.suggest_tags, name="suggest-tags"),
    path("labels/<str:subject>/<int:pk>/", views.labels_of, name="labels-of"),
    path("labels/<str:subject>/<int:pk>/tags/", views.change_tags, name="change-tags"),
    path("labels/<str:subject>/<int:pk>/attributes/", views.change_attributes, name="change-attributes"),
]
