"""URLs of accounts."""

from django.urls import include, path

from tms.accounts import views
from tms.accounts.factors import confirmation, passkey_views, second_factor
from tms.accounts.factors import views as factors
from tms.accounts.identity_providers import urls as identity_providers
from tms.accounts.me import session_views as sessions
from tms.accounts.me import token_views as tokens
from tms.accounts.me import views as me
from tms.accounts.password_reset import views as password_reset
from tms.accounts.people import urls as people
from tms.accounts.screens import views as screens

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/code/", second_factor.second_factor, name="second-factor"),
    path("sign-in/passkey/", passkey_views.sign_in, name="sign-in-with-passkey"),
    path("sign-in/passkey/options/", passkey_views.sign_in_options, name="passkey-options"),
    path("sign-in/reset/", password_reset.ask, name="ask-for-password"),
    path("sign-in/reset/<str:uidb64>/<str:token>/", password_reset.reset, name="reset-password"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("me/", me.me, name="me"),
    path("me/profile/", me.save, {"section": "profile"}, name="save-profile"),
    path("me/preferences/", me.save, {"section": "preferences"}, name="save-preferences"),
    path("me/sounds/", me.save, {"section": "sounds"}, name="save-sounds"),
    path("me/shortcuts/", me.save, {"section": "shortcuts"}, name="save-shortcuts"),
    path("me/sessions/end-others/", sessions.end_other_sessions, name="end-other-sessions"),
    path("me/sessions/<int:pk>/end/", sessions.end_session, name="end-session"),
    path("me/tokens/new/", tokens.new_token, name="new-own-token"),
    path("me/tokens/<int:pk>/rotate/", tokens.rotate_token, name="rotate-own-token"),
    path("me/tokens/<int:pk>/revoke/", tokens.revoke_token, name="revoke-own-token"),
    path("me/password/", views.change_password, name="change-password"),
    path("me/confirm/", confirmation.confirm, name="confirm"),
    path("me/confirm/options/", passkey_views.confirm_options, name="confirm-options"),
    path("me/security/", factors.security, name="security"),
    path("me/security/app/", factors.add_app, name="add-app"),
    path("me/security/passkey/", passkey_views.add_passkey, name="add-passkey"),
    path("me/security/passkey/options/", passkey_views.new_options, name="new-passkey-options"),
    path("me/security/recovery-codes/", factors.make_recovery_codes, name="make-recovery-codes"),
    path("me/security/<int:pk>/remove/", factors.remove_factor, name="remove-factor"),
    path("me/theme/", views.choose_theme, name="choose-theme"),
    path("me/density/", views.choose_density, name="choose-density"),
    path("me/language/", views.choose_language, name="choose-language"),
    *people.urlpatterns,
    *identity_providers.urlpatterns,
    path("scim/v2/", include("tms.accounts.scim.urls")),
    path("people/screens/", screens.wall_screens, name="wall-screens"),
    path("people/screens/<int:pk>/", screens.wall_screen, name="wall-screen"),
    path("people/screens/<int:pk>/revoke/", screens.revoke_screen, name="revoke-screen"),
    path("pair/", screens.pair_screen, name="pair-screen"),
]
