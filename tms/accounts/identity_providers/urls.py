"""URLs of the sign-in at identity providers, and of their administration."""

from django.urls import path

from tms.accounts.identity_providers.administration import views
from tms.accounts.identity_providers.linking import views as linking
from tms.accounts.identity_providers.oidc import logout
from tms.accounts.identity_providers.oidc import views as oidc
from tms.accounts.identity_providers.saml import views as saml

urlpatterns = [
    path("sign-in/provider/<slug:slug>/", oidc.to_provider, name="sign-in-at-provider"),
    path("sign-in/provider/<slug:slug>/callback/", oidc.from_provider, name="provider-callback"),
    path("sign-in/provider/<slug:slug>/acs/", saml.from_provider, name="saml-acs"),
    path("providers/<slug:slug>/metadata/", saml.metadata, name="saml-metadata"),
    path("providers/<slug:slug>/jwks/", oidc.public_keys, name="provider-jwks"),
    path("providers/<slug:slug>/logout/", logout.backchannel_logout, name="backchannel-logout"),
    path("me/providers/<slug:slug>/link/", linking.link, name="link-provider"),
    path("me/providers/<slug:slug>/unlink/", linking.unlink, name="unlink-provider"),
    path("people/identity-providers/", views.providers, name="identity-providers"),
    path("people/identity-providers/new/", views.new_provider, name="new-identity-provider"),
    path("people/identity-providers/<int:pk>/", views.provider, name="identity-provider"),
    path("people/identity-providers/<int:pk>/mappings/", views.add_mapping, name="add-mapping"),
    path(
        "people/identity-providers/<int:pk>/mappings/<int:mapping>/remove/", views.remove_mapping, name="remove-mapping"
    ),
    path("people/identity-providers/<int:pk>/check/", views.check_provider, name="check-provider"),
    path("people/identity-providers/<int:pk>/test/", views.test_sign_in, name="test-sign-in"),
    path("people/identity-providers/<int:pk>/key/", views.renew_key, name="renew-provider-key"),
    path("people/identity-providers/<int:pk>/disable/", views.disable_provider, name="disable-provider"),
    path("people/identity-providers/<int:pk>/enable/", views.enable_provider, name="enable-provider"),
    path("people/identity-providers/<int:pk>/delete/", views.delete_provider, name="delete-provider"),
]
