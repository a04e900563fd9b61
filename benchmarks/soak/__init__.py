"""Effects that only show after a while: whether a server process grows."""
