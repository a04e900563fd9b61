"""SCIM 2.0 (RFC 7643, 7644): the directory of a company creates, changes and disables people, and fills teams."""
