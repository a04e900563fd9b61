"""Nothing of accounts is in the admin: people, teams, roles, grants and tokens have their pages.

Django and django-allauth register models of their own, among them factors, which contain secrets.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

admin.site.unregister((Authenticator, EmailAddress, Group, UserSession))
