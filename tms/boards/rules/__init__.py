"""The pages on which rules are read, previewed and edited."""
