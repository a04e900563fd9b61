"""Connections that TMS opens to addresses that people entered."""
