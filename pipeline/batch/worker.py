"""A worker process: takes shards by number over a pipe, reads and writes them itself, sends back a receipt.

``python -P -m pipeline.batch.worker`` speaks JSON lines. In: one ``hello`` (run folder, model, stages with settings
and keys), then tasks. Out: ``ready``; ``batch`` with its words before each batch, ``at`` before each story when working
alone on each; ``progress`` after each batch; ``done`` with what the shard's receipt says; ``error`` for what ends the
run. When the pipe in closes, the parent is gone and the worker leaves at once.
"""

from __future__ import annotations

import heapq
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from models.document import Document
from pipeline.batch.files import Digesting, atomic, digest
from pipeline.batch.store import Layer, Receipt, Store
from pipeline.errors import CopydeskError, StorageError, StoryError, UsageError
from pipeline.language import Parser, blank_vocab, new_bin, read_bin
from pipeline.stage import Stage, installed, needed_by

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

Send = Callable[[dict[str, Any]], None]

BATCH_WORDS = 4_000
"""Words parsed at once: a matter of memory, not of speed, and of nothing else."""
_VOCAB_WORDS = 200_000
"""Words a vocabulary for kept parses may hold (some 50 MiB) before it is thrown away."""
SLOWEST = 5
"""Stories a shard names as the ones that took longest."""


@dataclass
class Desk:
    """A stage with its settings and the key of the layer it writes."""

    stage: Stage
    layer: Layer
    needs: list[str]


class Workplace:
    """What a process needs to do shards of one run: loaded once, used for every shard."""

    def __init__(self, hello: Mapping[str, Any]) -> None:
        self.store = Store(Path(hello["out"]))
        self.parser = Parser(hello["model"], hello["encoder"])
        self.parse = Layer("parse", hello["parse"])
        self.desks: dict[str, Desk] = {}
        for row in hello["stages"]:
            kind = installed()[row["name"]]
            stage = kind(kind.Settings.model_validate(row["settings"]))
            self.desks[stage.name] = Desk(stage, Layer(stage.name, row["key"]), needed_by(stage))
        self._vocab: Vocab | None = None
        self._agreed: set[str] = set()

    def agree(self, make: Iterable[str]) -> None:
        """Raise :class:`UsageError` where what is installed here would not make the layers asked for.

        On a cluster a machine may have other versions than the one the run was begun on; and a kept run may be
        older than what is installed now.
        """
        for name in set(make) - self._agreed:
            if name == "parse":
                layer, key = self.parse, self.parser.key()
            else:
                desk = self.desks[name]
                layer = desk.layer
                key = desk.stage.key({n: self.layer(n).key for n in ("parse", *desk.needs)})
            if layer.key != key:
                raise UsageError(
                    f"what makes {name!r} in this process is not what the run was begun with",
                    "Install the same copydesk, language model and stages everywhere, or begin a run in a new folder",
                )
            self._agreed.add(name)

    def layer(self, name: str) -> Layer:
        """The layer of the parse or of a stage."""
        return self.parse if name == "parse" else self.desks[name].layer

    def vocab(self) -> Vocab:
        """What kept parses are read into, without loading the model; a new one once it has grown large."""
        if self._vocab is None or len(self._vocab) > _VOCAB_WORDS:
            self._vocab = blank_vocab()
        return self._vocab

    def do(self, task: Mapping[str, Any], send: Send) -> dict[str, Any]:
        """Make the layers ``task["make"]`` of one shard and return the facts of its receipt.

        ``task["alone"]`` parses story by story and says which one is in hand; ``task["aside"]`` maps positions
        of stories that are not to be touched to why.
        """
        self.agree(task["make"])
        return _ShardWork(self, task, send).run()


class _ShardWork:
    def __init__(self, place: Workplace, task: Mapping[str, Any], send: Send) -> None:
        self.place, self.store, self.send = place, place.store, send
        self.number: int = task["shard"]
        self.alone: bool = task.get("alone", False)
        self.aside = {int(k): StoryError(*v) for k, v in task.get("aside", {}).items()}
        made = set(task["make"])
        self.parsing = "parse" in made
        self.making = [desk for name, desk in place.desks.items() if name in made]
        self.reading = [
            desk
            for name, desk in place.desks.items()
            if name not in made and any(name in other.needs for other in self.making)
        ]
        self.seconds: dict[str, float] = {}
        self.failures: dict[str, list[list[Any]]] = {desk.stage.name: [] for desk in self.making}
        self.parse_errors: dict[int, StoryError] = {}
        self.lacking: dict[int, set[str]] = {}
        self.slow: list[tuple[float, str, int]] = []
        self.stories = self.words = 0
        self.parsed: dict[int, float] = {}

    def run(self) -> dict[str, Any]:
        folder = self.store.shard_folder(self.number)
        receipt = self.store.receipt(self.number)
        sha256 = digest(self.store.documents(self.number))
        if receipt.documents != sha256:
            receipt = Receipt(str(sha256))
        files: dict[str, Digesting] = {}
        current = [self.place.parse, *(desk.layer for desk in self.place.desks.values())]
        started = time.perf_counter()
        with ExitStack() as stack:
            for desk in self.making:
                files[desk.stage.name] = stack.enter_context(atomic(folder / desk.layer.file))
            kept = new_bin() if self.parsing else None
            if not self.parsing:
                facts = receipt.layers.get(self.place.parse.file, {})
                self.parse_errors = {int(p): StoryError(c, m) for p, c, m in facts.get("failures", [])}
            for position, document, parse in self._stories():
                begun = time.process_time()
                if kept is not None:
                    kept.add(parse)
                for desk, row in self._rows(position, document, parse):
                    files[desk.stage.name].write(row)
                self._took(document, self.parsed.pop(position, 0.0) + time.process_time() - begun)
            if kept is not None:
                files["parse"] = stack.enter_context(atomic(folder / self.place.parse.file))
                files["parse"].write(kept.to_bytes())
                self.failures["parse"] = [[p, e.code, e.message] for p, e in self.parse_errors.items()]
        seconds = {"parse": self.seconds.pop("parse", 0.0), **self.seconds}
        for name, file in files.items():
            layer = self.place.layer(name)
            receipt.layers.pop(layer.file, None)
            receipt.layers[layer.file] = {
                "name": name,
                "key": layer.key,
                "sha256": file.sha256,
                "bytes": file.bytes,
                "failures": self.failures[name],
            }
        self.store.write_receipt(self.number, receipt, current)
        return {
            "shard": self.number,
            "stories": self.stories,
            "words": self.words,
            "slow": sorted(self.slow, reverse=True),
            "failures": sum(len(rows) for rows in self.failures.values()),
            "seconds": {k: round(v, 4) for k, v in seconds.items()},
            "wall": round(time.perf_counter() - started, 4),
        }

    def _stories(self) -> Iterator[tuple[int, Document, Doc]]:
        """Every story of the shard with its parse, in order; batches are parsed inside a memory zone."""
        if self.parsing:
            yield from self._parsing()
            return
        data = (self.store.shard_folder(self.number) / self.place.parse.file).read_bytes()
        kept = read_bin(data, self.place.vocab())
        position = 0
        for batch in self._batches():
            for document in batch:
                yield position, document, next(kept)
                position += 1
            self._progress(batch)

    def _took(self, document: Document, seconds: float) -> None:
        row = (round(seconds, 4), document.id, len(document.text.split()))
        (heapq.heappush if len(self.slow) < SLOWEST else heapq.heappushpop)(self.slow, row)

    def _parsing(self) -> Iterator[tuple[int, Document, Doc]]:
        position = 0
        nlp = self.place.parser.nlp
        for batch in self._batches():
            # The zone keeps the vocabulary from growing with every new word of every story.
            with nlp.memory_zone():
                for document, parse in zip(batch, self._parsed(position, batch), strict=True):
                    yield position, document, parse
                    position += 1
            self._progress(batch)

    def _progress(self, batch: Sequence[Document]) -> None:
        words = sum(len(document.text.split()) for document in batch)
        self.stories += len(batch)
        self.words += words
        self.send({"say": "progress", "shard": self.number, "stories": len(batch), "words": words})

    def _batches(self) -> Iterator[list[Document]]:
        layers = [self.store.rows(self.number, desk.layer.file) for desk in self.reading]
        batch: list[Document] = []
        words = 0
        for position, row in enumerate(self.store.rows(self.number, "documents.jsonl")):
            for desk, rows in zip(self.reading, layers, strict=True):
                layer = next(rows)
                row.update(layer.get("sections", {}))
                if "error" in layer:
                    self.lacking.setdefault(position, set()).add(desk.stage.name)
            document = Document.from_dict(row)
            batch.append(document)
            words += len(document.text.split()) + len(document.text) // 16
            if words >= BATCH_WORDS or self.alone:
                self.send({"say": "batch", "shard": self.number, "words": words + 1})
                yield batch
                batch, words = [], 0
        if batch:
            self.send({"say": "batch", "shard": self.number, "words": words + 1})
            yield batch

    def _parsed(self, position: int, batch: Sequence[Document]) -> Iterator[Doc]:
        started = time.process_time()
        if not self.alone:
            try:
                parses = list(self.place.parser.parse(batch))
            except Exception:
                pass  # one story of the batch is to blame: find it below
            else:
                took, size = self._clock("parse", started), sum(len(document.text) for document in batch)
                for n, document in enumerate(batch, position):
                    self.parsed[n] = took * len(document.text) / max(size, 1)
                yield from parses
                return
        for n, document in enumerate(batch, position):
            started = time.process_time()
            parse = self._parse_one(n, document)
            self.parsed[n] = self._clock("parse", started)
            yield parse

    def _parse_one(self, position: int, document: Document) -> Doc:
        blank = self.place.parser.nlp.make_doc("")
        if position in self.aside:
            self.parse_errors[position] = self.aside[position]
            return blank
        if self.alone:
            self.send({"say": "at", "shard": self.number, "position": position})
        try:
            return next(self.place.parser.parse([document]))
        except Exception as error:
            self.parse_errors[position] = StoryError("E_PARSE", f"the language model failed: {_says(error)}")
            return blank

    def _rows(self, position: int, document: Document, parse: Doc) -> Iterator[tuple[Desk, bytes]]:
        if self.alone and not self.parsing and position not in self.aside:
            self.send({"say": "at", "shard": self.number, "position": position})
        gone = self.parse_errors.get(position) or self.aside.get(position)
        broken = set(self.lacking.get(position, ()))
        for desk in self.making:
            name = desk.stage.name
            error = gone
            if error is None and (lacking := [n for n in desk.needs if n in broken]):
                error = StoryError("E_NEEDS", f"needs {', '.join(lacking)}, which failed for this story")
            if error is None:
                started = time.process_time()
                try:
                    sections = dict(desk.stage.apply(document, parse))
                    row = orjson.dumps({"sections": sections}, default=_plain)
                    for section, items in sections.items():
                        setattr(document, section, items)
                except Exception as raised:
                    error = StoryError("E_STAGE", f"the stage {name} failed: {_says(raised)}")
                self._clock(name, started)
            if error is not None:
                broken.add(name)
                self.failures[name].append([position, error.code, error.message])
                row = orjson.dumps({"error": {"code": error.code, "message": error.message}})
            yield desk, row + b"\n"

    def _clock(self, name: str, started: float) -> float:
        """Add the CPU time since ``started``; other work on the machine does not count."""
        took = time.process_time() - started
        self.seconds[name] = self.seconds.get(name, 0.0) + took
        return took


def _plain(item: Any) -> Any:
    if isinstance(item, BaseModel):
        return item.model_dump(by_alias=True, exclude_unset=True)
    raise TypeError(f"a section holds {type(item).__name__}, which is neither a model nor JSON data")


def _says(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main() -> None:
    """Serve tasks from standard input until it closes."""
    # The parent decides when to stop; a terminal's Ctrl-C, and its end, reach every process of the group.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError):  # under memory pressure the kernel should take a worker, not the run
        Path("/proc/self/oom_score_adj").write_text("500")
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not end up among the messages

    def send(message: dict[str, Any]) -> None:
        out.write(orjson.dumps(message) + b"\n")

    tasks: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    try:
        place = Workplace(tasks.get())
        send({"say": "ready"})
        while True:
            send({"say": "done", **place.do(tasks.get(), send)})
    except StorageError as error:
        send({"say": "error", "kind": "storage", "message": error.message, "cure": error.cure})
    except CopydeskError as error:
        send({"say": "error", "kind": "usage", "message": error.message, "cure": error.cure})
    except Exception as error:
        cure = "This is a fault of copydesk: please report it with this line"
        send({"say": "error", "kind": "usage", "message": f"internal error: {_says(error)}", "cure": cure})
        raise


def _listen(pipe: IO[bytes], tasks: queue.Queue[dict[str, Any]]) -> None:
    for line in pipe:
        tasks.put(orjson.loads(line))
    os._exit(1)


if __name__ == "__main__":
    main()
