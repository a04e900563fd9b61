"""The columns of lists that people choose, and what some of them need besides the rows."""
