"""URLs of the pages of groups."""

from django.urls import path

from tms.fleet.groups import views

urlpatterns = [
    path("groups/", views.groups, name="groups"),
    path("groups/new/", views.new_group, name="new-group"),
    path("groups/query/", views.preview_query, name="preview-group-query"),
    path("groups/<int:pk>/", views.group, name="group"),
    path("groups/<int:pk>/members/", views.add_to_group, name="add-to-group"),
    path("groups/<int:pk>/members/remove/", views.remove_from_group, name="remove-from-group"),
    path("groups/<int:pk>/delete/", views.delete_group, name="delete-group"),
]
