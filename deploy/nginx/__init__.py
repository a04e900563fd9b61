"""nginx in front of the nodes of one host: `*.conf`, and what fills their blanks in, for cluster and machine alike."""
