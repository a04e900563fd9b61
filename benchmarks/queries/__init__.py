"""What queries cost at a large fleet."""
