"""The pages on which rules are read, tried and edited."""
