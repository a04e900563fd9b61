"""The reference terminal: keeps a link to TMS, reports, spools what it cannot send, and runs commands.

Needs websockets; uses psutil and msgspec if they are installed. `tms-agent` runs it for the machine it is on; `Agent`
runs it for any `DeviceSource`, such as a simulated terminal.
"""
