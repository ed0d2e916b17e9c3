"""A component of the language model that does to its process what a story tells it to: raise, die, hang."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from spacy.language import Language


@Language.factory("trouble")
def trouble(nlp: Language, name: str) -> Any:
    def component(doc: Any) -> Any:
        if "PARSE-RAISE" in doc.text:
            raise ValueError("as the story asked")
        if "PARSE-DIE" in doc.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "PARSE-HANG" in doc.text:
            time.sleep(3600)
        return doc

    return component
