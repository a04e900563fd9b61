"""URLs of import and export."""

from django.urls import path

from tms.transfer import views

urlpatterns = [
    path("import/", views.imports, name="imports"),
    path("import/template/<slug:kind>.csv", views.import_template, name="import-template"),
    path("import/<int:pk>/", views.import_page, name="import"),
    path("import/<int:pk>/apply/", views.apply_import, name="apply-import"),
    path("import/<int:pk>/correct/", views.correct_import, name="correct-import"),
    path("import/<int:pk>/undo/", views.undo_import, name="undo-import"),
    path("export/<slug:kind>.csv", views.export_fleet, name="export-fleet"),
]
