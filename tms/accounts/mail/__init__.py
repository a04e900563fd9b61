"""Mail to people about their own account."""
