"""Backups of the database: made, verified, kept in S3, restored beside what is there, swapped by name."""
