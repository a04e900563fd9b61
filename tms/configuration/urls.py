"""URLs of the pages of the configuration."""

from django.urls import path

from tms.configuration.pages import change_views, file_views, key_views, terminal_views, views

urlpatterns = [
    path("configuration/", views.configuration, name="configuration"),
    path("configuration/export/", file_views.export, name="export-configuration"),
    path("configuration/import/", file_views.import_sets, name="import-configuration"),
    path("configuration/keys/new/", key_views.new_key, name="new-configuration-key"),
    path("configuration/keys/<str:name>/", key_views.key, name="configuration-key"),
    path("configuration/keys/<str:name>/edit/", key_views.edit_key, name="edit-configuration-key"),
    path("configuration/keys/<str:name>/delete/", key_views.delete_key, name="delete-configuration-key"),
    path("configuration/versions/", views.all_versions, name="configuration-versions"),
    path("configuration/versions/<int:number>/", change_views.version, name="configuration-version"),
    path("configuration/versions/<int:number>/ready/", change_views.make_ready, name="ready-configuration"),
    path("configuration/versions/<int:number>/discard/", change_views.discard, name="discard-configuration"),
    path("configuration/versions/<int:number>/undo/", change_views.undo, name="undo-configuration"),
    path("configuration/versions/<int:number>/send/", change_views.send_to_one, name="send-configuration"),
    path("terminals/<str:uid>/configuration/", terminal_views.terminal_configuration, name="terminal-configuration"),
    path("terminals/<str:uid>/configuration/send/", terminal_views.send_again, name="send-terminal-configuration"),
]
