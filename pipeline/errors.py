"""Every error a person can meet: a code, what happened and where, and what to do next.

Exit codes of the command: 0 all well, 2 usage, 3 finished with failures, 4 storage, 5 folder in use,
130 interrupted.
"""

from __future__ import annotations

OK, USAGE, FAILURES, STORAGE, BUSY, INTERRUPTED = 0, 2, 3, 4, 5, 130


class CopydeskError(Exception):
    """An error that ends the command: printed as one line with its cure, never as a traceback."""

    code = "E_USAGE"
    exit_code = USAGE

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}. {self.cure}" if self.cure else self.message


class UsageError(CopydeskError):
    """The command or the settings ask for something that cannot be done as asked."""


class StorageError(CopydeskError):
    """The disk is full, the output cannot be written, or a kept file cannot be read."""

    code = "E_STORAGE"
    exit_code = STORAGE


class BusyError(CopydeskError):
    """Another run holds the output folder."""

    code = "E_BUSY"
    exit_code = BUSY


class StoryError(Exception):
    """One story cannot be taken or a stage cannot read it; it becomes a row of failures.jsonl.

    Codes: E_BINARY not text; E_DECODE bytes not in the encoding asked for; E_EMPTY_FIELD a story without text;
    E_JSON a line that is no JSON object; E_XML not well-formed, cut short or nested too deep; E_XML_ENTITY an entity
    that is not expanded; E_HTML a page that cannot be read; E_TABLE a table that is broken or has no text column;
    E_FRAME a message without its end; E_PACKED an archive that cannot be unpacked; E_EXTRA a library is missing;
    E_TOO_LARGE over a size limit, or unpacking without end; E_IO cannot be opened or read;
    E_DOCUMENT a document that breaks the schema; E_STAGE a stage raised; E_PARSE the language model raised;
    E_WORKER_DIED the process reading it was killed; E_TIMEOUT it took longer than the limit.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
