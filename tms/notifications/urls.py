"""URLs of the pages of notifications."""

from collections.abc import Sequence

from django.urls import URLPattern, path

from tms.notifications.action_links import views as action_link_views
from tms.notifications.deliveries import views as delivery_views
from tms.notifications.destinations import views as destination_views
from tms.notifications.planned.digests import views as digest_views
from tms.notifications.planned.reports import views as report_views
from tms.notifications.policies import views as policy_views
from tms.notifications.push import views as browser_views
from tms.notifications.rotations import views as rotation_views
from tms.notifications.soft_delete import views as soft_delete_views


def soft_delete_paths(prefix: str, kind: str) -> Sequence[URLPattern]:
    """Delete and restore, of one kind of row."""
    return (
        path(f"{prefix}/<int:pk>/delete/", soft_delete_views.delete, {"kind": kind}, name=f"delete-{kind}"),
        path(f"{prefix}/<int:pk>/restore/", soft_delete_views.restore, {"kind": kind}, name=f"restore-{kind}"),
    )


urlpatterns = [
    path("destinations/", destination_views.destinations, name="destinations"),
    path("destinations/new/", destination_views.choose_destination, name="choose-destination"),
    path("destinations/new/<str:kind>/", destination_views.new_destination, name="new-destination"),
    path("destinations/<int:pk>/", destination_views.destination, name="destination"),
    path("destinations/<int:pk>/test/", destination_views.test_destination, name="test-destination"),
    path("destinations/<int:pk>/key/", destination_views.renew_key, name="renew-key"),
    path("policies/", policy_views.policies, name="policies"),
    path("policies/new/", policy_views.new_policy, name="new-policy"),
    path("policies/new/preview/", policy_views.preview_policy, name="preview-new-policy"),
    path("policies/<int:pk>/preview/", policy_views.preview_policy, name="preview-policy"),
    path("policies/<int:pk>/", policy_views.policy, name="policy"),
    path("rotations/", rotation_views.rotations, name="rotations"),
    path("rotations/new/", rotation_views.new_rotation, name="new-rotation"),
    path("rotations/<int:pk>/", rotation_views.rotation, name="rotation"),
    path("rotations/<int:pk>/covers/", rotation_views.new_cover, name="new-cover"),
    path("rotations/<int:pk>/covers/<int:cover>/delete/", rotation_views.delete_cover, name="delete-cover"),
    *soft_delete_paths("destinations", "destination"),
    *soft_delete_paths("policies", "policy"),
    *soft_delete_paths("rotations", "rotation"),
    path("act/<str:token>/", action_link_views.act, name="act"),
    path("me/browsers/", browser_views.add_browser, name="add-browser"),
    path("me/browsers/preferences/", browser_views.save_browser_preferences, name="save-browser-preferences"),
    path("me/browsers/<int:pk>/test/", browser_views.test_browser, name="test-browser"),
    path("me/browsers/<int:pk>/remove/", browser_views.remove_browser, name="remove-browser"),
    path("deliveries/", delivery_views.deliveries, name="deliveries"),
    path("deliveries/<int:pk>/", delivery_views.delivery, name="delivery"),
    path("deliveries/<int:pk>/again/", delivery_views.send_again, name="send-again"),
    path("availability/mail/", report_views.send_report, name="send-report"),
    path("availability/mail/plans/", report_views.plan_report, name="plan-report"),
    path("availability/mail/plans/<int:pk>/delete/", report_views.drop_report_plan, name="drop-report-plan"),
    path("digest/send/", digest_views.send_digest, name="send-digest"),
    path("digest/plans/", digest_views.plan_digest, name="plan-digest"),
    path("digest/plans/<int:pk>/delete/", digest_views.drop_digest_plan, name="drop-digest-plan"),
]
