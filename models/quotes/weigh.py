"""Fit ``learned.tsv``: how far to trust the encoder's marks and the rules' triples, from annotated stories.

    python -m models.quotes.weigh quotes.dev.jsonl

The stories must not be those the encoder was trained on, whose marks are surer there than elsewhere. Logistic
regression with an L2 penalty (scikit-learn's, of the extra ``train``); a triple is right where its content matches one
of the gold's by half of their union. Prints the log loss of five folds by story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from models.quotes.train import overlap, trimmed
from pipeline.language import Parser
from pipeline.readers import document_of
from pipeline.stages.quotes import learned, marks
from pipeline.stages.quotes.cues import lexicon
from pipeline.stages.quotes.extract import LOW
from pipeline.stages.quotes.frames import find
from pipeline.stages.quotes.tree import Tree


def examples(paths: tuple[Path, ...]) -> Iterator[tuple[int, dict[str, float], bool]]:
    """Number of the story, features and truth of every triple of the stories in ``paths``."""
    rows = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    documents = [document_of({"id": row["id"], "text": row["text"]}, "gold") for row in rows]
    for n, (row, document, parse) in enumerate(zip(rows, documents, Parser().parse(documents), strict=True)):
        paragraphs = document.paragraphs()
        tree = Tree(parse, paragraphs, marks.scan(document.text, paragraphs, True))
        seen = learned.marked(tree, parse)
        if seen is None:
            raise click.UsageError("the parse was made without an encoder")
        gold = [trimmed(document.text, q["start"], q["end"]) for q in row["quotes"]]
        beside = learned.Beside(tree, seen, lexicon(), find(tree, lexicon(), LOW))
        for triple in beside.all:
            hull = trimmed(tree.text, tree.start[triple.first], tree.end[triple.last - 1])
            yield n, beside.features(triple), any(overlap(hull, quote) >= 0.5 for quote in gold)


@click.command()
@click.argument("gold", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(gold: tuple[Path, ...]) -> None:
    """Fit on the stories of GOLD."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score

    stories, facts, right = zip(*examples(gold), strict=True)
    columns = DictVectorizer(sparse=False)
    table = columns.fit_transform(facts)
    model = LogisticRegression(C=0.1, max_iter=3000, fit_intercept=False)
    loss = -cross_val_score(model, table, right, groups=stories, cv=GroupKFold(5), scoring="neg_log_loss")
    click.echo(f"{len(right)} triples, {sum(right)} right; log loss {loss.mean():.4f} in five folds")
    model.fit(table, right)
    rows = [f"{name}\t{value:.3f}" for name, value in zip(columns.feature_names_, model.coef_[0], strict=True)]
    header = "# Coefficients of a logistic score, fitted by models/quotes/weigh.py on news copy unknown to the encoder."
    Path(__file__).with_name("learned.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
