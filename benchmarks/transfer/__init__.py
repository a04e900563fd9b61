"""What an import of a large fleet costs."""
