"""What takes longer than a coffee: a large fleet held, processes killed, and how far it goes (P9)."""
