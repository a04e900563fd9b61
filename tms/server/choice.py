from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tms.server.base.interface import NewServer

LIBRARIES = ("daphne", "uvicorn")


def chosen(library: str) -> "NewServer":
    """The server class for one of `LIBRARIES`; the other library is not imported.

    For daphne this installs Twisted's reactor: call it before anything that imports daphne or Twisted.
    """
    if library == "uvicorn":
        from tms.server.uvicorn.server import UvicornServer

        return UvicornServer
    from tms.server.daphne.server import FlowServer

    return FlowServer
