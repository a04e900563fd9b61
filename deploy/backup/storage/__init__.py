"""A backup in S3: the dump in parts, and the manifest that says what it holds."""
