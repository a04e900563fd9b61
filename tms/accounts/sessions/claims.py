"""The keys under which sessions store what TMS knows of them."""

SEEN_AT = "seen_at"
"""Seconds since the epoch, accurate to a minute."""
FACTOR_DUE = "factor_due"
"""The instant from which on the person must have a second factor."""
MUST_SET_UP = "must_set_up_factor"
"""Nothing else opens until the person has set up a second factor."""
