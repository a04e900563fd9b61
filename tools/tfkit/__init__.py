"""The real Terraform where nothing but the Python package index can be reached. README.md says what it proves."""
