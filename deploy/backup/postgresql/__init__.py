"""PostgreSQL as backups and restores see it: connections, its programs, and swapping a database for another."""
