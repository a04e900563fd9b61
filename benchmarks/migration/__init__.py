"""What the migration from the release before costs, and what its clients notice."""
