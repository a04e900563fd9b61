import gc

from tms.server.flow import Flow


def keep_still(flow: Flow) -> None:
    """Before the first connection: what is loaded by now stays, and collections become rare."""
    if flow.gc_threshold:
        gc.set_threshold(*flow.gc_threshold)
    if flow.gc_freeze:
        gc.collect()
        gc.freeze()
