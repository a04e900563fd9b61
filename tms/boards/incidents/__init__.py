"""Incidents on the boards: their rows, their page, and what people do to them."""
