"""The data models of copydesk: the shared document, and the learned models that ship with it."""

from models.document import SCHEMA, Document, Problem, check

__all__ = ["SCHEMA", "Document", "Problem", "check"]
