"""The checklist before and after a deployment: each entry is a check that runs against the target."""
