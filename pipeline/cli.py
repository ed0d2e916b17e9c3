"""The command ``copydesk``: each command is a few lines over the API. spaCy is loaded by none that needs none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.settings import Settings

EXIT_CODES = """Exit codes: 0 all well; 2 wrong usage; 3 finished, but some stories or stages failed; 4 the disk is
full or a kept file unreadable; 5 the output folder is in use; 130 interrupted."""


def _said_plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Errors are one line with the cure, and an exit code; never a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from pipeline.errors import INTERRUPTED, STORAGE, CopydeskError

        try:
            return command(*args, **kwargs)
        except CopydeskError as error:
            click.echo(f"copydesk: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("copydesk: stopped. Give the same command again to go on", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader of our output has seen enough (| head).
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            click.echo(f"copydesk: {error.filename or 'input or output'}: {error.strerror or error}", err=True)
            sys.exit(STORAGE)

    return wrapped


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_config = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file; default: copydesk.toml, if it is there."
)
_set = click.option("--set", "assignments", multiple=True, metavar="STAGE.KEY=VALUE", help="Change one setting.")
_workers = click.option("--workers", type=click.IntRange(0), help="Worker processes; default: one a core it may use.")
_quiet = click.option("--quiet", "-q", is_flag=True, help="Show no progress and no summary.")
_verbose = click.option("--verbose", "-v", is_flag=True, help="Tell of every shard, and of the slowest stories.")
_log = click.option("--log-json", metavar="FILE", help="Write events as JSON lines; - is standard error.")
_engine = click.option("--engine", type=click.Choice(["local", "dask"]), help="What hands out the work.")
_scheduler = click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler of a cluster that shares OUT.")
_shards = click.option("--shards", metavar="0-99", help="Do only these, join nothing; or 3/10: every tenth from 3 on.")
_new_settings = click.option("--new-settings", is_flag=True, help="Make a run anew that was begun with other settings.")
_publish = click.option("--publish", metavar="URL", help="Copy the finished run's files there, by fsspec.")


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="copydesk")
def main() -> None:
    """Turn wire copy into structured data: entities, dates, quotes, speakers and topics of every story."""


@main.command("run", short_help="Read stories into a folder.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--stages", help="Stages to run, parted by commas; what they need is run too. Default: all.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("--encoding", help="Encoding of all inputs; default: found out for each.")
@_options(_new_settings, _workers, _engine, _scheduler, _shards, _publish, _config, _set, _quiet, _verbose, _log)
@_said_plainly
def run_command(
    inputs: Sequence[str],
    out: Path,
    stages: str | None,
    fail_fast: bool,
    encoding: str | None,
    new_settings: bool,
    workers: int | None,
    engine: str | None,
    scheduler: str | None,
    shards: str | None,
    publish: str | None,
    config: Path | None,
    assignments: Sequence[str],
    quiet: bool,
    verbose: bool,
    log_json: str | None,
) -> None:
    """Read every story of files, folders and URLs INPUT... into the folder OUT.

    Writes documents.jsonl, failures.jsonl, skipped.jsonl and run.json. If it is stopped, by Ctrl-C or by a power
    cut, the same command goes on where it was.
    """
    from pipeline.batch.remote import publish as copy_out
    from pipeline.batch.run import run, run_shards
    from pipeline.review.progress import observer

    options = {"run.workers": workers, "run.engine": engine, "run.scheduler": scheduler, "read.encoding": encoding}
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    settings = _settings(config, [*assignments, *given])
    names = [name.strip() for name in stages.split(",") if name.strip()] if stages is not None else None
    common: Any = {"settings": settings, "stages": names, "new_settings": new_settings}
    with observer(quiet, verbose, log_json) as watching:
        if shards is not None:
            part = run_shards(shards, inputs, out, observer=watching, **common)
            watching.finish(part)
            sys.exit(part.exit_code)
        result = run(inputs, out, fail_fast=fail_fast, observer=watching, **common)
        if publish is not None:
            copy_out(out, publish)
        watching.finish(result)
    sys.exit(result.exit_code)


@main.command("rerun", short_help="Run one stage again over a finished run.")
@click.argument("stage")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--new", "-o", type=click.Path(path_type=Path), help="Make a new run; OUT stays as it is.")
@click.option("--only", is_flag=True, help="Leave the stages that read this one as they are, marked stale.")
@_options(_workers, _set, _quiet, _verbose, _log)
@_said_plainly
def rerun_command(
    stage: str,
    out: Path,
    new: Path | None,
    only: bool,
    workers: int | None,
    assignments: Sequence[str],
    quiet: bool,
    verbose: bool,
    log_json: str | None,
) -> None:
    """Run one STAGE again over the finished run OUT, and the stages that read what it makes.

    The parse made by the run is used again, so this takes a small part of the run's time.
    """
    from pipeline.batch.run import rerun
    from pipeline.review.progress import observer

    with observer(quiet, verbose, log_json) as watching:
        result = rerun(stage, out, assignments=assignments, only=only, new=new, workers=workers, observer=watching)
        watching.finish(result)
    if result.changed and not quiet:
        from pipeline.review.diff import diff
        from pipeline.review.tables import change_lines

        for line in change_lines(diff(result.out, listed=False)):
            click.echo(line, err=True)
        click.echo(f"see them with: copydesk diff {result.out}", err=True)
    sys.exit(result.exit_code)


@main.command("stage", short_help="Run one stage as a filter over documents.")
@click.argument("name")
@_options(_config, _set)
@_said_plainly
def stage_command(name: str, config: Path | None, assignments: Sequence[str]) -> None:
    """Run one stage as a filter: documents.jsonl on standard input, the same with its section on standard output.

    Other sections are used as they stand. A line that is no document, or that the stage fails on, is reported
    on standard error and, if it can be, passed on unchanged; the exit code is then 3.
    """
    from pipeline.desk import Desk

    desk = Desk([name], _settings(config, assignments), needs=False)
    sys.exit(_filter(desk, sys.stdin.buffer, sys.stdout.buffer))


def _filter(desk: Any, lines: IO[bytes], out: IO[bytes]) -> int:
    import orjson

    from pipeline.errors import FAILURES, OK
    from pipeline.readers import document_of

    code = OK
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = document_of(orjson.loads(line), f"line {number}")
        except Exception as error:
            click.echo(f"copydesk: line {number}: {error}", err=True)
            code = FAILURES
            continue
        try:
            line = desk(document).to_json() + b"\n"
        except Exception as error:
            click.echo(f"copydesk: line {number}: the stage failed on {document.id!r}: {error}", err=True)
            code = FAILURES
        out.write(line)
    out.flush()
    return code


@main.command("stages", short_help="List the stages and what can be set.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--toml", "as_toml", is_flag=True, help="As a copydesk.toml with every setting at its default.")
@_said_plainly
def stages_command(as_json: bool, as_toml: bool) -> None:
    """List the stages: what each needs and makes, its version, and what can be set."""
    from pipeline.settings import as_toml as toml
    from pipeline.settings import resolve, written
    from pipeline.stage import installed, needed_by

    if as_toml:
        click.echo(toml(resolve({}, "defaults")), nl=False)
        return
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "version": stage.version,
            "needs": needed_by(stage),
            "makes": list(stage.makes),
            "about": (stage.__doc__ or "").strip().splitlines()[0] if stage.__doc__ else "",
            "settings": {
                key: {"default": field.default, "about": field.description or ""}
                for key, field in stage.Settings.model_fields.items()
            },
        }
        for name, stage in installed().items()
    ]
    if as_json:
        import orjson

        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2, default=str).decode())
        return
    for row in rows:
        needs = f", needs {', '.join(row['needs'])}" if row["needs"] else ""
        click.secho(row["name"], bold=True, nl=False)
        click.echo(f" {row['version']}: makes {', '.join(row['makes'])}{needs}")
        if row["about"]:
            click.echo(f"  {row['about']}")
        for key, field in row["settings"].items():
            click.echo(f"    {row['name']}.{key} = {written(field['default'])}  {field['about']}")


@main.command("models", short_help="List the installed models, or show the card of one.")
@click.argument("name", required=False)
@_said_plainly
def models_command(name: str | None) -> None:
    """List the installed models: what to set to use each, its licence, its scores, the digest of its files.

    With a NAME, print that model's card: what it was trained on, how good it is, where it ends.
    """
    from pipeline.catalogue import catalogue, find

    if name is not None:
        click.echo(find(name).card)
        return
    for model in catalogue():
        click.secho(model.name, bold=True, nl=False)
        click.echo(f" {model.version}  {model.setting}={model.name}  {model.licence}")
        if model.scores:
            click.echo("    " + ", ".join(f"{key} {value:.3f}" for key, value in model.scores.items()))
        click.echo(f"    sha256 {model.digest}")


@main.command("schema", short_help="Print the JSON Schema of a document.")
@_said_plainly
def schema_command() -> None:
    """Print the JSON Schema of a document."""
    import orjson

    from models.document import Document

    click.echo(orjson.dumps(Document.model_json_schema(), option=orjson.OPT_INDENT_2).decode())


@main.command("check", short_help="Check offsets, texts, ids and references of documents.")
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@_said_plainly
def check_command(target: Path) -> None:
    """Check every document of a run's folder or of a documents.jsonl: offsets, texts, ids, references."""
    from pipeline.errors import FAILURES
    from pipeline.review.gold import documents_of
    from pipeline.review.soundness import problems

    path = documents_of(target)
    count = bad = 0
    for line, id_, faults in problems(path):
        count += 1
        for fault in faults:
            click.echo(f"{path}:{line}: {id_}: {fault}")
        bad += bool(faults)
    click.echo(f"{count} documents, {bad} with faults")
    sys.exit(FAILURES if bad else 0)


@main.command("show", short_help="Show a story in the terminal.")
@click.argument("out", type=click.Path(exists=True, path_type=Path))
@click.argument("id", metavar="[ID]", required=False)
@_said_plainly
def show_command(out: Path, id: str | None) -> None:
    """Show a story of the run OUT in the terminal: entities, dates and quotes marked, speakers named.

    Without an ID, list the ids of the run.
    """
    from pipeline.batch.run import open_run
    from pipeline.review.terminal import show

    run = open_run(out)
    if id is None:
        for document in run.documents():
            click.echo(f"{document.id}\t{document.meta.headline or document.text[:60].strip()}".splitlines()[0])
        return
    show(run.document(id))


@main.command("evaluate", short_help="Measure a run against gold: precision, recall, F1.")
@click.argument("gold", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--worst", type=click.IntRange(0), default=5, show_default=True, help="Stories a stage shown with faults."
)
@click.option("--samples", type=click.IntRange(0), default=1000, show_default=True, help="Bootstrap samples; 0: none.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_said_plainly
def evaluate_command(gold: Path, out: Path, worst: int, samples: int, as_json: bool) -> None:
    """Measure the run OUT against GOLD: precision, recall and F1 of every stage present in GOLD.

    GOLD is a JSON Lines file with annotated stories, a run's folder, a folder of brat standoff, a Prodigy db-out file
    or a Label Studio JSON export; OUT is a run's folder or a file of documents. Stories are paired by id. Intervals
    are 95% bootstrap intervals over stories.
    """
    from pipeline.review.evaluate import evaluate
    from pipeline.review.tables import show_evaluation

    evaluation = evaluate(gold, out, samples=samples, worst=worst)
    _json(evaluation.to_dict()) if as_json else show_evaluation(evaluation)


@main.command("diff", short_help="Show what changed between two runs or by a rerun.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
@click.option("--gold", type=click.Path(path_type=Path), help="Tell gains from losses by this gold.")
@click.option("--stage", "stages", multiple=True, help="Compare only what this stage makes; may be given again.")
@click.option("--show", "shown", type=click.IntRange(0), default=20, show_default=True, help="Changes shown a section.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with each change in its sentence.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every change.")
@_said_plainly
def diff_command(
    old: Path, new: Path | None, gold: Path | None, stages: Sequence[str], shown: int, html: Path | None, as_json: bool
) -> None:
    """Show what is added, removed and changed from the run OLD to the run NEW, stage by stage.

    Without NEW: what the last rerun of OLD changed. Both may be a run's folder or a file of documents. Ids and
    confidences do not count.
    """
    from pipeline.batch.place import PAGE_BEGINS, local, protect
    from pipeline.review.diff import diff
    from pipeline.review.diff_page import page
    from pipeline.review.tables import show_diff

    if html is not None:
        protect(local(html), PAGE_BEGINS)
    found = diff(old, new, gold=gold, stages=stages or None)
    if html is not None:
        html.write_text(page(found), encoding="utf-8")
        click.echo(f"page: {html}", err=True)
    _json(found.to_dict()) if as_json else show_diff(found, shown)


@main.command("sweep", short_help="Try out settings against gold on kept parses.")
@click.argument("grid", nargs=-1, required=True, metavar="STAGE.KEY=VALUE,VALUE...")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--gold", required=True, type=click.Path(path_type=Path), help="Annotated stories, as for evaluate.")
@click.option("--by", help="Figure to be best in, such as dates.value; default: the headline of what is swept.")
@click.option("--samples", type=click.IntRange(0), default=1000, show_default=True, help="Bootstrap samples; 0: none.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_said_plainly
def sweep_command(grid: Sequence[str], out: Path, gold: Path, by: str | None, samples: int, as_json: bool) -> None:
    """Try settings on the run OUT and measure each combination against gold; OUT stays as it is.

    Kept parses are used. Stages that read what a swept stage makes are run again with it.
    """
    from pipeline.review.sweep import sweep
    from pipeline.review.tables import show_sweep

    found = sweep(grid, out, gold=gold, by=by, samples=samples)
    _json(found.to_dict()) if as_json else show_sweep(found)


@main.command("quotes", short_help="List who said what.")
@click.argument("out", type=click.Path(exists=True, path_type=Path))
@click.option("--speaker", help="Only quotations of speakers whose name holds this.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@_said_plainly
def quotes_command(out: Path, speaker: str | None, as_csv: bool) -> None:
    """List who said what in the run OUT: speaker, role, quotation, cue, story and date."""
    from pipeline.batch.run import open_run
    from pipeline.review.said import said, write_csv
    from pipeline.review.terminal import show_said

    rows = said(open_run(out).documents(), speaker)
    if as_csv:
        write_csv(rows, sys.stdout)
    else:
        show_said(rows)


@main.command("report", short_help="Write a run as one HTML page.")
@click.argument("out", type=click.Path(exists=True, path_type=Path))
@click.option("--output", "-o", "path", required=True, type=click.Path(path_type=Path), help="The page to write.")
@click.option("--title", help="Heading of the page; default: the name of the folder OUT.")
@_said_plainly
def report_command(out: Path, path: Path, title: str | None) -> None:
    """Write the run OUT as one HTML page: stories marked up, who said what, topics, a timeline, the run's facts.

    The page needs no network and no other file; it can be searched and filtered, and sent to somebody.
    """
    from pipeline.batch.run import open_run
    from pipeline.review.report import write_report

    stories = write_report(open_run(out), path, title)
    click.echo(f"{path}: {stories} stories, {path.stat().st_size / 1e6:.1f} MB")


@main.command("export", short_help="Write a run for other programs: tables, SQLite, brat, ninjs.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--format", "-f", "format", required=True, metavar="F", help="Form to write; the list is below.")
@click.option("--output", "-o", "path", required=True, type=click.Path(path_type=Path), help="Where to; - for stdout.")
@click.option("--table", help="Only this table, of CSV and Parquet, as one file.")
@_said_plainly
def export_command(out: Path, format: str, path: Path, table: str | None) -> None:
    """Write the documents of the run OUT (or of a file of documents) for other programs.

    \b
    jsonl, csv, parquet, sqlite     documents; tables of stories, entities, mentions,
                                    dates, quotes, attributions, topics, keyphrases
    webannotation, spacy, brat      W3C JSON-LD, a DocBin, standoff to be corrected
    ninjs                           IPTC ninjs 3.0 with subjects filled in
    prodigy, labelstudio            tasks with our annotations, to be corrected
    """
    from pipeline.writers import export, stream

    if str(path) == "-":
        for piece in stream(out, format, table=table):
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        return
    stories = export(out, path, format, table=table)
    click.echo(f"{path}: {stories} stories", err=True)


@main.command("topics", short_help="Look up IPTC Media Topics; see what scores are worth.")
@click.option("--search", metavar="WORDS", help="Words of the topic's label or definition, or its code.")
@click.option(
    "--calibration", nargs=2, type=click.Path(path_type=Path), metavar="GOLD OUT", help="Right topics by score."
)
@click.option("--taxonomy", type=click.Path(path_type=Path), help="Your own topics, if the run was made with them.")
@_said_plainly
def topics_command(search: str | None, calibration: tuple[Path, Path] | None, taxonomy: Path | None) -> None:
    """Look up IPTC Media Topics (code, place in the tree, definition), or see what a run's scores are worth.

    With --calibration: of the topics of the run OUT in each band of scores, how many GOLD has.
    """
    if calibration is not None:
        from pipeline.review.tables import show_bands
        from pipeline.review.training import topic_bands

        show_bands(topic_bands(*calibration, taxonomy))
    if search is not None:
        from pipeline.stages.topics.vocabulary import media_topics
        from pipeline.stages.topics.vocabulary import taxonomy as own

        vocabulary = media_topics() if taxonomy is None else own(str(taxonomy))
        found = vocabulary.search(search)
        if not found:
            click.echo(f"no topic has {search!r} in its label or definition, or as its code", err=True)
        for topic in found:
            path = " > ".join(vocabulary.concepts[code].label for code in topic.path)
            click.echo(f"{topic.id}  {path}\n    {topic.definition}")
    if search is None and calibration is None:
        raise click.UsageError("Give --search WORDS or --calibration GOLD OUT")


@main.group("train")
def train_group() -> None:
    """Learn from stories that your newsroom has labelled."""


@train_group.command("topics")
@click.option("--gold", required=True, type=click.Path(path_type=Path), help="JSON Lines: id, text, topics (codes).")
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="File for what is learned.")
@click.option("--taxonomy", type=click.Path(path_type=Path), help="Your own topics instead of IPTC Media Topics.")
@click.option("--no-priors", is_flag=True, help="The stories are no fair sample: do not learn how common topics are.")
@_said_plainly
def train_topics_command(gold: Path, out: Path, taxonomy: Path | None, no_priors: bool) -> None:
    """Learn topics from the labelled stories GOLD and show what that gains on stories not seen.

    Use it with: copydesk run ... --set topics.model=OUT
    """
    from pipeline.batch.place import MODEL_BEGINS, local, protect
    from pipeline.review.tables import show_training
    from pipeline.review.training import train_topics

    protect(local(out), MODEL_BEGINS, gold)
    training = train_topics(gold, taxonomy, priors=not no_priors)
    training.learned.save(out)
    show_training(training)
    click.echo(f"Written to {out}. Use it with --set topics.model={out}")


def _json(data: Any) -> None:
    import orjson

    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def _settings(config: Path | None, assignments: Sequence[str]) -> Settings:
    from pipeline.settings import load

    if config is None and Path("copydesk.toml").is_file():
        config = Path("copydesk.toml")
    return load(config, assignments)


if __name__ == "__main__":
    main()
