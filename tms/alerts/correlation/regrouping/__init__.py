"""Alerts change their incident: incidents are merged, alerts are moved out."""
