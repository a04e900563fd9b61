"""URLs of saved views."""

from django.urls import path

from tms.fleet.saved_views import views

urlpatterns = [
    path("views/", views.saved_views, name="saved-views"),
    path("views/new/", views.new_view, name="new-view"),
    path("views/<int:pk>/", views.view, name="view"),
    path("views/<int:pk>/save/", views.save_view, name="save-view"),
    path("views/<int:pk>/delete/", views.delete_view, name="delete-view"),
]
