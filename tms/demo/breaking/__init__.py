"""*Break something*: people break terminals of the demo from a page, and the simulator carries it out."""
