"""Signing in with a password: limits of attempts, and of passwords hashed at once."""
