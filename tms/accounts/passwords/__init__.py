"""Rules for new passwords, beside those of Django. `docs/security.md` describes all of them.

The setting `AUTH_PASSWORD_VALIDATORS` lists them, with the minimum length.
"""
