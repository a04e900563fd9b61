from collections.abc import Sequence

from django.urls import URLPattern, path

from tms.notifications import (
    delivery_pages,
    destination_pages,
    digest_pages,
    policy_pages,
    removal_pages,
    rotation_pages,
)


def removals(place: str, kind: str) -> Sequence[URLPattern]:
    """Of one kind of row: to delete it, and to undo that."""
    return (
        path(f"{place}/<int:pk>/delete/", removal_pages.delete, {"kind": kind}, name=f"delete-{kind}"),
        path(f"{place}/<int:pk>/restore/", removal_pages.restore, {"kind": kind}, name=f"restore-{kind}"),
    )


urlpatterns = [
    path("destinations/", destination_pages.destinations, name="destinations"),
    path("destinations/new/<str:kind>/", destination_pages.new_destination, name="new-destination"),
    path("destinations/<int:pk>/", destination_pages.destination, name="destination"),
    path("destinations/<int:pk>/test/", destination_pages.test_destination, name="test-destination"),
    path("destinations/<int:pk>/key/", destination_pages.renew_key, name="renew-key"),
    path("policies/", policy_pages.policies, name="policies"),
    path("policies/new/", policy_pages.new_policy, name="new-policy"),
    path("policies/<int:pk>/", policy_pages.policy, name="policy"),
    path("rotations/", rotation_pages.rotations, name="rotations"),
    path("rotations/new/", rotation_pages.new_rotation, name="new-rotation"),
    path("rotations/<int:pk>/", rotation_pages.rotation, name="rotation"),
    path("rotations/<int:pk>/covers/", rotation_pages.new_cover, name="new-cover"),
    path("rotations/<int:pk>/covers/<int:cover>/delete/", rotation_pages.delete_cover, name="delete-cover"),
    *removals("destinations", "destination"),
    *removals("policies", "policy"),
    *removals("rotations", "rotation"),
    path("deliveries/", delivery_pages.deliveries, name="deliveries"),
    path("deliveries/<int:pk>/", delivery_pages.delivery, name="delivery"),
    path("deliveries/<int:pk>/again/", delivery_pages.send_again, name="send-again"),
    path("digest/send/", digest_pages.send_digest, name="send-digest"),
    path("digest/plans/", digest_pages.plan_digest, name="plan-digest"),
    path("digest/plans/<int:pk>/delete/", digest_pages.drop_digest_plan, name="drop-digest-plan"),
]
