"""Tags and attributes: what customers themselves say of their sites, terminals and devices."""
