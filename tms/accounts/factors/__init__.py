"""Factors beside the password: authenticator apps, recovery codes and passkeys. django-allauth stores them."""
