"""`make cluster`: runs TMS as in production on this machine, and shows the state of each process."""
