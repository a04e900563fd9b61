"""The sockets of terminals and boards (RFC 6455), from the upgrade to the close.

`socket` is a connection that begins with a `handshake`, takes its `input` as fast as the application does, and has an
`idle_check`. The others read and write bytes, without I/O: `upgrade_request`, `text_frames`, and `frames` for the rest.
"""
