"""URLs of SCIM."""

from django.urls import path

from tms.accounts.scim import views
from tms.accounts.scim.endpoint import unknown, unsupported

urlpatterns = [
    path("ServiceProviderConfig", views.service_provider_config, name="scim-service-provider-config"),
    path("ResourceTypes", views.resource_types, name="scim-resource-types"),
    path("ResourceTypes/<str:name>", views.resource_types, name="scim-resource-type"),
    path("Schemas", views.schemas, name="scim-schemas"),
    path("Schemas/<str:name>", views.schemas, name="scim-schema"),
    path("Users", views.users, name="scim-users"),
    path("Groups", views.groups, name="scim-groups"),
    path(".search", unsupported, name="scim-search"),
    path("Users/.search", unsupported, name="scim-search-users"),
    path("Groups/.search", unsupported, name="scim-search-groups"),
    path("Bulk", unsupported, name="scim-bulk"),
    path("Me", unsupported, name="scim-me"),
    path("Users/<str:key>", views.user, name="scim-user"),
    path("Groups/<str:key>", views.group, name="scim-group"),
    path("", unknown, name="scim-root"),
    path("<path:rest>", unknown, name="scim-unknown"),
]
