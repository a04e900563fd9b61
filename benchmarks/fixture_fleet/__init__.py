"""A large fleet after a day of operation: sites, terminals in every presence, alerts, changes.

All random numbers use one seed, so that two fleets of one size are equal.
"""
