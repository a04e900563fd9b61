"""What the pages of a large fleet cost."""
