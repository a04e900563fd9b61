"""Pages of the configuration: its keys, its versions, and what one terminal has."""
