"""What labelled stories can teach and tell the topics stage: training, and what its scores are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.review.gold import documents_of, read_gold, stories

if TYPE_CHECKING:
    from pipeline.stages.topics.learn import Band, Training


def train_topics(gold: str | Path, taxonomy: str | Path | None = None, *, priors: bool = True) -> Training:
    """Learn topics from the labelled stories of ``gold``: ``training.learned.save(path)`` keeps what was learned.

    Set ``priors`` to False where the stories are no fair sample of what comes in. Raises :class:`UsageError` where
    gold cannot be read, has too few stories with topics, or has topics that are not in the vocabulary.
    """
    from pipeline.readers import read
    from pipeline.stages.topics.learn import train
    from pipeline.stages.topics.vocabulary import media_topics
    from pipeline.stages.topics.vocabulary import taxonomy as own

    labelled = read_gold(gold)
    pairs = []
    for document in read(documents_of(gold)):
        story = labelled.find(document.id)
        if story is not None and story.topics:
            pairs.append((document, list(story.topics)))
    vocabulary = own(str(taxonomy)) if taxonomy is not None else media_topics()
    try:
        return train(pairs, vocabulary, priors=priors)
    except ValueError as error:
        raise UsageError(
            f"{gold}: {error}", 'It is a JSON Lines file of stories with "id", "text" and "topics", a list of codes'
        ) from error


def topic_bands(gold: str | Path, out: str | Path, taxonomy: str | Path | None = None) -> list[Band]:
    """How many of the topics of a run are right, by their score. Raises :class:`UsageError` as ``evaluate`` does."""
    from pipeline.batch.run import open_run
    from pipeline.stages.topics.learn import calibration
    from pipeline.stages.topics.vocabulary import media_topics
    from pipeline.stages.topics.vocabulary import taxonomy as own

    vocabulary = own(str(taxonomy)) if taxonomy is not None else media_topics()
    wanted = {story.id: story.topics for story in stories(gold) if story.topics is not None}
    pairs = [
        (
            [concept.id for id_ in wanted[document.id] or () if (concept := vocabulary.find(id_))],
            [(topic.qcode, topic.score) for topic in document.topics],
        )
        for document in open_run(out).documents()
        if document.id in wanted
    ]
    if not pairs:
        raise UsageError(f"{out} has none of the stories with topics of {gold}", "They are paired by id")
    return calibration(pairs, vocabulary)
