"""The reference terminal: keeps the link to TMS, reports, keeps what could not be sent, obeys commands.

Needs `tms.protocol`, msgspec, psutil and websockets; no Django. `tms-agent` runs it for the machine it is on; `Agent`
runs it for any `Source`, as `tms.demo` does for simulated terminals.
"""
