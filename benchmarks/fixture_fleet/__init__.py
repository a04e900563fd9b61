"""A large fleet after a day of work: sites, terminals in every presence, alerts, changes.

Every number is made with one seed, so that two fleets of one size are the same.
"""
