"""Rules for new passwords, beside those of Django. `docs/security.md` describes all of them."""
