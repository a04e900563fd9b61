"""Backups of the database: create, verify, store in S3, restore into a new database, swap the two by name."""
