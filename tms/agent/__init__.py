"""The reference terminal: keeps a link to TMS, reports, spools what it cannot send, and runs commands.

Needs `tms.protocol`, msgspec, psutil and websockets; no Django. `tms-agent` runs it for the machine it is on; `Agent`
runs it for any `Source`, as `tms.demo` does for simulated terminals.
"""
