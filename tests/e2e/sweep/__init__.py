"""A sweep for what keeps people from using TMS, through every page and dialog: see `__main__`."""
