"""Hostile text takes no more than its share of time: no regular expression that backtracks without end.

Work is counted, not timed: a text of twice the length may cost so many times more CPU time, with a floor below which
nothing is compared; a pattern that backtracks costs thousands of times more and never comes back, which the child's
CPU limit ends.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import regexes

PIECES = {
    "spaces": " ",
    "newlines": "\n",
    "blank lines with spaces": " \n \t\n",
    "quotes": '"',
    "open quotes": "“",
    "apostrophes": "'",
    "nested quotes": "“‘",
    "brackets": "(",
    "pairs of brackets": "()",
    "dashes": "-",
    "long dashes": "— ",
    "commas": ",",
    "full stops": ".",
    "dots and spaces": ". ",
    "digits": "1",
    "digits and dots": "1.",
    "numbers": "12 ",
    "dates cut short": "March 3, ",
    "ranges without end": "1990-",
    "months": "May ",
    "times": "10:30 ",
    "ordinals": "1st of the ",
    "capitals": "A",
    "initials": "A. ",
    "names": "John ",
    "titles": "Mr. ",
    "said": "he said ",
    "said that": "said that ",
    "datelines": "LONDON (Reuters) - ",
    "places": "NEW YORK, ",
    "slugs": "BC-",
    "words with dashes": "a-",
    "addresses": "a@",
    "urls": "http://",
    "angle brackets": "<",
    "tags": "<a ",
    "entities": "&amp;",
    "braces": "{",
    "backslashes": "\\",
    "combining marks": "e\u0301\u0301\u0301",
    "controls": "\x01\x02",
}
SCRIPT = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
from spacy.tokens import Doc
from pipeline.language import Parser
from models.document import Document, paragraphs
from pathlib import Path
from pipeline.readers import stories
from pipeline.readers.decode import clean, decode
from pipeline.readers.wire import story
from models.document import Meta, Source
from pipeline.stage import installed

parser = Parser(sys.argv[1])
nlp = parser.nlp
stages = [kind() for kind in installed().values()]
source = Source(path="x", format="wire", sha256="", bytes=0)

FILES = {
    "txt": "%s",
    "html": "<html><body><article><p>Before.</p><p>%s</p><p>After.</p></article></body></html>",
    "nitf": "<nitf><body><body.content><p>%s</p></body.content></body></nitf>",
    "csv": "id,text\\n1,%s\\n",
    "jsonl": '{"text": "%s"}',
    "ninjs.json": '{"uri": "x", "type": "text", "version": "3.0", "headline": "%s", "body_text": "A text."}',
    "newsml.xml": '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="x"><itemMeta>'
    '<itemClass qcode="ninat:text"/></itemMeta><contentMeta><headline>%s</headline></contentMeta>'
    '<contentSet><inlineData contenttype="text/plain">'
    "A text.</inlineData></contentSet></newsItem>",
    "header": "\\x01a1111aa%s\\x02A text.\\x03",
    "framed": "\\x01xxx1234 4 aaa 123 SLUG\\x02^%s\\x03",
    "rss": "<rss><channel><item><title>T</title><description>%s</description></item></channel></rss>",
}
folder = Path(sys.argv[2])

def work(text):
    steps = {}
    for suffix, frame in FILES.items():
        path = folder / f"story.{suffix}"
        path.write_bytes((frame % text).encode("utf-8", "surrogatepass"))
        begun = time.process_time()
        list(stories([path]))
        steps["reader of " + suffix] = time.process_time() - begun
    begun = time.process_time()
    decoded = decode(text.encode("utf-8", "surrogatepass"), None)
    document = story("x", clean(decoded.text)[0], source, Meta())
    document.paragraphs()
    steps["read"] = time.process_time() - begun
    begun = time.process_time()
    tokens = parser._tokens(document.text)
    n = len(tokens)
    # Sentences of 25 words that hang on their first one: the model itself is not what is tested.
    parse = Doc(
        nlp.vocab,
        words=[t.text for t in tokens],
        spaces=[bool(t.whitespace_) for t in tokens],
        tags=["NNP"] * n,
        pos=["PROPN"] * n,
        lemmas=[t.lower_ for t in tokens],
        heads=[i - i % 25 for i in range(n)],
        deps=["dep" if i % 25 else "ROOT" for i in range(n)],
    )
    steps["tokens"] = time.process_time() - begun
    for stage in stages:
        begun = time.process_time()
        for section, items in stage.apply(document, parse).items():
            setattr(document, section, items)
        steps[stage.name] = time.process_time() - begun
    return steps

work("Warm up, he said on Friday.")
for line in sys.stdin:
    name, piece = line.rstrip("\\n").split("\\t")
    piece = piece.encode().decode("unicode_escape")
    small, large = (work(piece * (size // len(piece)) + " x said he.") for size in (4_000, 16_000))
    for step, seconds in large.items():
        # Four times the text. Sixteen times the work would be quadratic; what backtracks is far beyond.
        if seconds > 3.0 and seconds > 40 * max(small[step], 0.05):
            print(f"{name}: {step} took {small[step]:.2f} and then {seconds:.2f} CPU seconds")
print("done")
"""


def test_every_reader_and_stage_survives_text_made_to_make_patterns_backtrack(
    blank_model: Path, tmp_path: Path
) -> None:
    lines = "".join(f"{name}\t{piece.encode('unicode_escape').decode()}\n" for name, piece in PIECES.items())
    command = [sys.executable, "-c", SCRIPT, str(blank_model), str(tmp_path)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "done\n"


# --- expression by expression ------------------------------------------------------------------------------------

SHORT, LONG = 500, 4_000
"""Repeats in the strings compared."""
FLOOR = 0.03
"""CPU seconds below which nothing is compared: what is linear takes a tenth of that for the long string."""


@pytest.fixture(scope="module")
def expressions() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, regexes.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def worse_than_linear(pattern: re.Pattern[Any], source: str, anchored: bool) -> str | None:
    """The beginning of a string for which eight times the length takes far more than eight times the time."""
    for text in regexes.attacks(source, pattern.flags):
        long = regexes.seconds(pattern, text(LONG), anchored)
        if long == float("inf") or (long > FLOOR and long > 20 * regexes.seconds(pattern, text(SHORT), anchored)):
            return text(10)
    return None


def test_every_expression_takes_time_in_proportion_to_the_text(expressions: list[dict[str, Any]]) -> None:
    assert len(expressions) > 250
    where = {place.split(":")[0] for row in expressions for place in row["where"]}
    assert {f"pipeline/readers/{name}.py" for name in ("iptc7901", "wire", "markup", "nitf")} <= where
    assert "pipeline/stages/dates/grammar.py" in where  # the patterns of patterns.toml are compiled there
    slow = {}
    for row in expressions:
        pattern = re.compile(row["pattern"].encode("latin-1") if row["bytes"] else row["pattern"], row["flags"])
        anchored = bool(row["uses"]) and set(row["uses"]) <= regexes.ANCHORED
        if (text := worse_than_linear(pattern, row["pattern"], anchored)) is not None:
            slow[row["where"][0]] = (row["pattern"][:200], row["uses"], text)
    assert slow == {}


@pytest.mark.parametrize(
    ("pattern", "anchored", "slow"),
    [
        (r"(a+)+b", True, True),
        (r"(\w+ ?)*!", True, True),
        (r"[^,]*?[ ]*,?\s*\Z", True, True),
        (r"\s+$", False, True),
        (r"\s+$", True, False),
        (r"(?<!\s)\s+$", False, False),
        (r"(a++)+b", True, False),
    ],
)
def test_the_strings_find_what_backtracks(pattern: str, anchored: bool, slow: bool) -> None:
    assert (worse_than_linear(re.compile(pattern), pattern, anchored) is not None) == slow
