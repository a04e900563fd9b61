"""The stop rule of rollouts: whether updated terminals do worse than those that still wait. No database, no clock.

The derivation is in docs/rollouts.md.
"""
