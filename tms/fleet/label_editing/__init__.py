"""The pages of tags and attributes: those of one site, terminal or device, and those of the whole fleet."""
