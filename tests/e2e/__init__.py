"""A package to pytest, so that fixtures of its conftest.py can end with its last test."""
