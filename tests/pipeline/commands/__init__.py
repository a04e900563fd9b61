"""Runs the commands of the operators' pages against stand-ins, which record their arguments, and checks these."""
