"""The health of a process: `checks` decides liveness and readiness, `monitor` serves them for processes without pages."""
