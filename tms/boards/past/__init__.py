"""Alerts of any time: searched, and how long they took."""
