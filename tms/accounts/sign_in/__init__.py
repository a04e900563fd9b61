"""Signing in with a password: how often it may be tried, and how many passwords are hashed at once."""
