"""The demo's past week, and the situation in which a visitor finds it: outages, alerts, incidents, notes."""
