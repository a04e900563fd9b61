"""Models of the files app."""

from tms.files.models.terminal_file import FilePart, FileState, TerminalFile

__all__ = ["FilePart", "FileState", "TerminalFile"]
