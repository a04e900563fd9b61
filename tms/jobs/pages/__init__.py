"""Pages of jobs: the list, a new job, and one job with its results."""
