"""URLs of bulk edits."""

from django.urls import path

from tms.transfer.edits import views

urlpatterns = [
    path("terminals/edit/<slug:edit>/", views.edit_terminals, name="edit-terminals"),
    path("terminals/edits/<int:pk>/", views.edit_page, name="edit"),
    path("terminals/edits/<int:pk>/apply/", views.apply_edit, name="apply-edit"),
    path("terminals/edits/<int:pk>/undo/", views.undo_edit, name="undo-edit"),
]
