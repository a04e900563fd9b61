"""Runs the real Terraform where only the Python package index is reachable. README.md explains what that proves."""
