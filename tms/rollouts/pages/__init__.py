"""Pages of rollouts: the list, a new rollout, and one rollout with its waves, effects and terminals."""
