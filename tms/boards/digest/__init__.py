"""Pages of the shift digest."""
