"""Frames pushed to boards: changes are read and rendered once, and sent to every socket that shows them."""
