"""What all REST operations share. The operations themselves are in the `api.py` of each app."""
