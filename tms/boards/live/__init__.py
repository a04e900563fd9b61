"""The frames pushed to boards: what changed is read and rendered once, and sent to every socket that shows it."""
