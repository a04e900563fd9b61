"""Pages of the catalogue of commands."""

from django.urls import path

from tms.commands import views

urlpatterns = [
    path("commands/", views.commands, name="commands"),
    path("commands/new/", views.new_command, name="new-command"),
    path("commands/new/preview/", views.preview_command, name="preview-command"),
    path("commands/<str:name>/", views.command, name="command"),
    path("commands/<str:name>/delete/", views.delete_command, name="delete-command"),
]
