"""Another package's stage, found by its entry point, that does what a story tells it to: count, raise, die, hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.stage import Stage, StageSettings


class TroubleSettings(StageSettings):
    letter: str = Field("e", description="The letter to count.")
    once: str = Field("", description="File that, while it is absent, makes a story with DIE-ONCE kill its process.")


class Trouble(Stage):
    """Counts a letter, unless a story asks for trouble."""

    name = "trouble"
    version = "1"
    needs = ("parse", "entities")
    makes = ("counted",)
    Settings = TroubleSettings

    def apply(self, document: Any, parse: Any) -> Mapping[str, list[Any]]:
        text = document.text
        if "PLEASE-RAISE" in text:
            raise RuntimeError("as the story asked")
        if "PLEASE-DIE" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "DIE-ONCE" in text and not (once := Path(self.settings.once)).exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "PLEASE-HANG" in text:
            time.sleep(3600)
        if "PLEASE-JUNK" in text:
            return {"counted": [object()]}
        return {"counted": [{"letter": self.settings.letter, "count": text.count(self.settings.letter)}]}
