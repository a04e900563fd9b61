"""URLs of the pages for managing one terminal."""

from django.urls import path

from tms.fleet.manage import devices, groups, keys, lifecycle, unexpected, views

urlpatterns = [
    path("terminals/<str:uid>/manage/", views.manage_terminal, name="manage-terminal"),
    path("terminals/<str:uid>/groups/", groups.change_groups, name="change-groups"),
    path("terminals/<str:uid>/keys/", keys.issue_key, name="issue-key"),
    path("terminals/<str:uid>/keys/rotate/", keys.rotate_key, name="rotate-key"),
    path("terminals/<str:uid>/keys/<int:pk>/revoke/", keys.revoke_key, name="revoke-key"),
    path("terminals/<str:uid>/replace/", devices.replace_device, name="replace-device"),
    path("terminals/<str:uid>/replace/undo/", devices.undo_replacement, name="undo-replacement"),
    path("terminals/<str:uid>/swap/", devices.swap_devices, name="swap-devices"),
    path("terminals/<str:uid>/unexpected/<int:pk>/", unexpected.decide, name="unexpected-device"),
    path("terminals/<str:uid>/state/", lifecycle.change_state, name="change-state"),
    path("terminals/<str:uid>/retire/", lifecycle.retire_terminal, name="retire-terminal"),
    path("terminals/<str:uid>/bring-back/", lifecycle.bring_back_terminal, name="bring-back-terminal"),
    path("terminals/<str:uid>/delete/", lifecycle.delete_terminal, name="delete-terminal"),
]
