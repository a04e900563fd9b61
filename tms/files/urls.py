"""URLs of files: where terminals upload them, and where people download them."""

from django.urls import path

from tms.files import upload_view, views

urlpatterns = [
    path("upload/<str:token>", upload_view.upload, name="upload"),
    path("files/<int:pk>/", views.download_file, name="download-file"),
]
