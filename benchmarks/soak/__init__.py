"""What only shows after a while: whether a server process grows (R35)."""
