"""Checks of what is in AWS: alarms, resources and their traffic."""
