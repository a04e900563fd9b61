"""The published objective: how each of its stages was kept, in a table that outlives restarts, and a page of it."""
