"""The checklist before and after a deployment, ticked by looking."""
