"""What replays cost in a large fleet with a year of history."""
