"""The health of a process: `checks` decides liveness and readiness; `monitor` serves them where there are no pages."""
