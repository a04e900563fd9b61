"""The list of devices: those that serve, spares, and those in repair or lost."""
