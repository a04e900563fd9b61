"""The stop rule of rollouts: whether updated terminals do worse than those that still wait. Pure: no database, no clock.

The derivation is in docs/rollouts.md.
"""
