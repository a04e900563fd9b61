"""The pages on which administrators set up identity providers."""
