"""Whoever calls the API here calls it as everywhere."""

from tests.api.conftest import caller_for, editor, watcher

__all__ = ["caller_for", "editor", "watcher"]
