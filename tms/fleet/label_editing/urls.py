"""URLs of the pages of tags and attributes."""

from django.urls import path

from tms.fleet.label_editing import catalogue_views, views

urlpatterns = [
    path("labels/", catalogue_views.labels, name="labels"),
    path("labels/tag/", catalogue_views.tag, name="tag"),
    path("labels/tag/rename/", catalogue_views.rename_tag, name="rename-tag"),
    path("labels/tag/delete/", catalogue_views.delete_tag, name="delete-tag"),
    path("labels/attributes/new/", catalogue_views.new_attribute, name="new-attribute"),
    path("labels/attributes/<str:name>/", catalogue_views.attribute, name="attribute"),
    path("labels/attributes/<str:name>/delete/", catalogue_views.remove_attribute, name="delete-attribute"),
    path("labels/suggestions/", views.suggest_tags, name="suggest-tags"),
    path("labels/<str:subject>/<int:pk>/", views.labels_of, name="labels-of"),
    path("labels/<str:subject>/<int:pk>/tags/", views.change_tags, name="change-tags"),
    path("labels/<str:subject>/<int:pk>/attributes/", views.change_attributes, name="change-attributes"),
]
