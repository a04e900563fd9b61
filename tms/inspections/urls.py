"""Pages of inspections."""

from django.urls import path

from tms.inspections import exports, inspect_views, views

urlpatterns = [
    path("inspections/", views.inspections, name="inspections"),
    path("inspections/export/", exports.export_devices, name="export-inspections"),
    path("inspections/pdf/", exports.export_pdf, name="export-inspections-pdf"),
    path("inspections/rounds/new/", views.new_round, name="new-round"),
    path("inspections/rounds/<int:pk>/close/", views.close_round, name="close-round"),
    path("inspections/results/<int:pk>/", views.inspection, name="inspection"),
    path("inspections/photos/<int:pk>/", views.photo, name="inspection-photo"),
    path("inspections/<int:pk>/next/", inspect_views.next_device, name="next-device"),
    path("inspections/<int:pk>/<str:uid>/", inspect_views.inspect_device, name="inspect-device"),
]
