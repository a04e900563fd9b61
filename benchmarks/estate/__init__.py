"""A large fleet as it stands after a day of work: sites, terminals in every presence, alerts, what changed.

Every number is made with one seed, so that two estates of one size are the same.
"""
