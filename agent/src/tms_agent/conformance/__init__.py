"""`tms-conformance`: plays TMS, and tests a terminal's client that somebody else wrote.

It shares no code with the agent that encodes or decodes frames, so that a bug in it cannot hide here: frames are read
as plain JSON (`schemas`). Some checks act (`checks/`), others watch every frame of every check (`watch`).
"""
