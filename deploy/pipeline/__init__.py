"""Deployment steps that use AWS: run by the pipeline, by hand and by tests."""
