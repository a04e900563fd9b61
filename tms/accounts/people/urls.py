"""URLs of the pages of people, teams, roles and service accounts."""

from django.urls import path

from tms.accounts.people import actions, team_views, views
from tms.accounts.people.invitations import views as invitation_views
from tms.accounts.people.roles import views as role_views
from tms.accounts.people.service_accounts import views as token_views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/invite/", invitation_views.invite, name="invite"),
    path("people/preview/", actions.preview_grant, name="preview-grant"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/grants/", actions.grant_to_person, name="grant-to-person"),
    path("people/<int:pk>/disable/", actions.disable_person, name="disable-person"),
    path("people/<int:pk>/enable/", actions.enable_person, name="enable-person"),
    path("people/<int:pk>/confirm-name/", actions.confirm_name, name="confirm-name"),
    path("people/<int:pk>/end-sessions/", actions.end_sessions, name="end-sessions"),
    path("people/<int:pk>/factors/", actions.remove_factors, name="remove-factors"),
    path("people/<int:pk>/resend/", invitation_views.resend_invitation, name="resend-invitation"),
    path("people/<int:pk>/tokens/", token_views.issue_token, name="issue-token"),
    path("people/grants/<int:pk>/withdraw/", actions.withdraw_grant, name="withdraw-grant"),
    path("people/teams/", team_views.teams, name="teams"),
    path("people/teams/new/", team_views.new_team, name="new-team"),
    path("people/teams/<int:pk>/", team_views.team, name="team"),
    path("people/teams/<int:pk>/delete/", team_views.delete_team, name="delete-team"),
    path("people/teams/<int:pk>/release/", team_views.release_team, name="release-team"),
    path("people/teams/<int:pk>/grants/", team_views.grant_to_team, name="grant-to-team"),
    path("people/teams/<int:pk>/members/", team_views.add_member, name="add-member"),
    path("people/teams/<int:pk>/members/<int:person>/remove/", team_views.remove_member, name="remove-member"),
    path("people/service-accounts/", token_views.service_accounts, name="service-accounts"),
    path("people/tokens/<int:pk>/rotate/", token_views.rotate_token, name="rotate-token"),
    path("people/tokens/<int:pk>/revoke/", token_views.revoke_token, name="revoke-token"),
    path("roles/", role_views.roles, name="roles"),
    path("roles/new/", role_views.new_role, name="new-role"),
    path("roles/<int:pk>/", role_views.role, name="role"),
    path("roles/<int:pk>/delete/", role_views.delete_role, name="delete-role"),
    path("invitation/<str:secret>/", invitation_views.invitation, name="invitation"),
]
