"""Bulk edits: one change to many terminals, which are planned, applied and undone as the rows of an import are."""
