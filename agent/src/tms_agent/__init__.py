"""The reference terminal: keeps a link to TMS, reports, spools what it cannot send, and runs commands.

Needs websockets; uses psutil and msgspec if they are installed. `tms-agent` runs it for the machine it is on; `Agent`
runs it for any `DeviceSource`, such as a simulated terminal.

The path of a report to TMS, and of a command to the device and back:

    DeviceSource --sample--> Recorder --report--> Spool (memory) --copy--> SqliteJournal (disk)
      ^                                             |  ^
      | run                                  report |  | acknowledged: remove
      |                                             v  |
    Commands ------------answer----------------> Outbox -----frame----> AgentSession <--> AgentLink <--socket--> TMS
      ^                                                                      |
      +--------------------------------command-------------------------------+

A report stays in the spool until TMS has committed it, also if the link is lost; a full spool drops the oldest ones.
The journal is the copy that survives the process: a full disk costs the copy, not the report. Commands and their
answers have one as well, so that a command runs at most once and its answer arrives.
"""
