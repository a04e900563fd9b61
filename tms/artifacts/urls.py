"""URLs of artifacts: pages, where people upload them, and where terminals download them."""

from django.urls import path

from tms.artifacts import download_view, upload_view
from tms.artifacts.pages import artifact_views, key_views, list_views

urlpatterns = [
    path("artifacts/", list_views.artifacts, name="artifacts"),
    path("artifacts/add/<str:key>/", list_views.add_artifact, name="add-artifact"),
    path("artifacts/keys/", key_views.signing_keys, name="signing-keys"),
    path("artifacts/keys/<int:pk>/remove/", key_views.remove_key, name="remove-signing-key"),
    path("artifacts/uploads/", upload_view.uploads_view, name="artifact-uploads"),
    path("artifacts/uploads/<str:key>", upload_view.upload, name="artifact-upload"),
    path("artifacts/uploads/<str:key>/manifest", upload_view.upload_manifest, name="artifact-upload-manifest"),
    path("artifacts/<int:pk>/", artifact_views.artifact, name="artifact"),
    path("artifacts/<int:pk>/withdraw/", artifact_views.withdraw_artifact, name="withdraw-artifact"),
    path("artifacts/<int:pk>/content/", artifact_views.download_artifact, name="download-artifact"),
    path("download/<str:token>", download_view.download, name="download"),
]
