"""What the agent costs the terminal that it runs on."""
