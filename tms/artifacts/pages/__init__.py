"""Pages of artifacts: the list with its uploads, one artifact, and the signing keys."""
