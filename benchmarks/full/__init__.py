"""The long benchmark: a large fleet kept connected, processes killed, and the largest possible fleet (P9)."""
