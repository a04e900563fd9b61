"""Values of keys: their schemas, how people write them, their variables, and how secrets are sealed."""
