"""People link their own account to an identity provider, and unlink it."""
