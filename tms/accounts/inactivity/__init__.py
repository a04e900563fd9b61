"""Accounts that nobody uses are disabled (PCI DSS 8.2.6): announced by mail first, by the clock."""
