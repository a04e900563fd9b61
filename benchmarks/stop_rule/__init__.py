"""The stop rule of rollouts on simulated fleets, beside the rules of other products on the same data."""
