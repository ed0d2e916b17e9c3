"""Every regular expression of the packages, how it is used, and strings made from it to make it backtrack.

Run as a script it prints the expressions as JSON: it has to see them compiled, so it comes before the packages.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGES = ("pipeline", "models")
FUNCTIONS = ("match", "fullmatch", "search", "findall", "finditer", "sub", "subn", "split")
WITH_FLAGS = {"compile": 1, "match": 2, "fullmatch": 2, "search": 2, "findall": 2, "finditer": 2}
"""Where flags stand among the arguments, the pattern being the first."""
ANCHORED = {"match", "fullmatch"}
"""These try at one place; all others at every place, which makes one more factor of the length."""
LETTERS = " \n\t\u2029aAzMé1٣.\"'-,:;()/<>&“”’—_0|=@#+*%$[]{}!?~^\\`\x00\x01"


# --- what there is -----------------------------------------------------------------------------------------------


def collect() -> list[dict[str, Any]]:
    """Pattern, flags, places and uses of every expression that importing, reading and annotating the samples compiles.

    Expressions written out in a call that was not reached come from the source.
    """
    seen: dict[tuple[Any, int], dict[str, set[str]]] = {}

    def note(pattern: Any, flags: int, path: str, line: int, function: str) -> None:
        facts = seen.setdefault((pattern, flags), {"where": set(), "uses": set()})
        facts["where"].add(f"{Path(path).relative_to(ROOT)}:{line}")
        facts["uses"] |= {function} if function != "compile" else _uses(path, line)

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(pattern: Any, *args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            path = frame.f_code.co_filename
            if not isinstance(pattern, re.Pattern) and _ours(path):
                at = WITH_FLAGS.get(name, 0)
                flags = kwargs.get("flags", args[at - 1] if 0 < at <= len(args) else 0)
                note(pattern, int(flags), path, frame.f_lineno, name)
            return real(pattern, *args, **kwargs)

        return call

    for name in ("compile", *FUNCTIONS):
        setattr(re, name, watched(name, getattr(re, name)))
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with suppress(ImportError, SystemExit):  # programs that train need an extra
                importlib.import_module(module.name)
    _work()
    written = {pattern for pattern, _ in seen}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for line, function, pattern in _literals(path):
            if pattern not in written:
                note(pattern, 0, str(path), line, function)
    return [
        {"pattern": p.decode("latin-1") if isinstance(p, bytes) else p, "bytes": isinstance(p, bytes), "flags": flags}
        | {key: sorted(found) for key, found in facts.items()}
        for (p, flags), facts in seen.items()
    ]


def _work() -> None:
    from pipeline import Desk, read
    from pipeline.settings import load

    desk = Desk(settings=load(None, ["encoder=none"]))
    for story in (story for name in ("stories", "formats") for story in read(ROOT / "samples" / name)):
        desk(story)


def _ours(path: str) -> bool:
    return any(path.startswith(f"{ROOT / package}/") for package in PACKAGES)


def _literals(path: Path) -> Iterator[tuple[int, str, str | bytes]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re"), function), [ast.Constant(pattern), *_]):
                if function == "compile" or function in FUNCTIONS:
                    yield node.lineno, function, pattern


def _uses(path: str, line: int) -> set[str]:
    """Methods called on what the expression compiled at a line is bound to, or on what is drawn from it in a loop."""
    bound, drawn, _ = _names(path)
    names = {name for name, first, last in bound if first <= line <= last}
    # What begins with _ and what a loop draws is known in its own module alone.
    here = names | {name for name, source in drawn if source in names}
    found = {method for name, method in _names(path)[2] if name in here}
    public = {name for name in names if not name.startswith("_")}
    for other in (other for package in PACKAGES for other in (ROOT / package).rglob("*.py")):
        found |= {method for name, method in _names(str(other))[2] if name in public}
    return found


@cache
def _names(path: str) -> tuple[list[tuple[str, int, int]], list[tuple[str, str]], set[tuple[str, str]]]:
    """Of a module: names with the lines they are bound in, loop variables with what they run over, methods called."""
    bound, drawn, called = [], [], set()
    for node in ast.walk(ast.parse(Path(path).read_text("utf-8"))):
        match node:
            case (
                ast.Assign([ast.Name(name) | ast.Attribute(_, name)])
                | ast.AnnAssign(ast.Name(name))
                | ast.NamedExpr(ast.Name(name))
                | ast.keyword(str(name))
            ):
                bound.append((name, node.lineno, node.end_lineno or node.lineno))
            case ast.For(ast.Name(name), ast.Name(source)) | ast.comprehension(ast.Name(name), ast.Name(source)):
                drawn.append((name, source))
            case ast.Call(ast.Attribute(ast.Name(name) | ast.Attribute(_, name), method)) if method in FUNCTIONS:
                called.add((name, method))
    return bound, drawn, called


# --- strings against it ------------------------------------------------------------------------------------------

Tree = Sequence[tuple[Any, Any]]
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_ENDS = ("", "\x00", "x ", " \n!")
"""What follows the repeated piece, so that the rest of the expression is not found."""


def attacks(pattern: str, flags: int) -> Iterator[Callable[[int], str]]:
    """Makers of strings in which one piece stands n times: what a repeat of the expression takes, in several letters.

    Once with what the expression wants before it, and once by itself, so that every place is a beginning.
    """
    tree = parser.parse(pattern, flags)
    flags = tree.state.flags
    made: set[str] = set()
    for body in _repeated(tree):
        for pick in range(5):
            for text in (
                lambda n, body=body, pick=pick: _sample(tree, flags, pick, body, n),
                lambda n, body=body, pick=pick: _sample(body, flags, pick) * n,
            ):
                if (short := text(3)) and short not in made:
                    made.add(short)
                    for end in _ENDS:
                        yield lambda n, text=text, end=end: text(n)[: 4 * n] + end


def _repeated(tree: Tree) -> Iterator[Tree]:
    for op, given in tree:
        if op in _REPEATS and (given[1] is ops.MAXREPEAT or given[1] > 9):
            yield given[2]
        for inner in _inner(op, given):
            yield from _repeated(inner)


def _inner(op: Any, given: Any) -> list[Tree]:
    if op in _REPEATS:
        return [given[2]]
    if op is ops.SUBPATTERN:
        return [given[3]]
    if op is ops.ATOMIC_GROUP:
        return [given]
    return given[1] if op is ops.BRANCH else []


def _sample(tree: Tree, flags: int, pick: int, target: Tree | None = None, n: int = 0) -> str:
    """A text the expression is likely to take: ``target`` n times, all else as short as may be."""
    out = []
    for op, given in tree:
        if op is ops.LITERAL:
            out.append(chr(given))
        elif op is ops.NOT_LITERAL:
            out.append("a" if given != ord("a") else "b")
        elif op is ops.ANY:
            out.append(LETTERS[pick])
        elif op is ops.IN:
            letters = [c for c in LETTERS if _takes(given, c, flags)] or [_first(given)]
            out.append(letters[pick % len(letters)])
        elif op in _REPEATS:
            least, _, body = given
            if body is target:
                out.append(_sample(body, flags, pick) * n)
            else:
                times = max(least, 1) if _holds(body, target) else least
                out.append(_sample(body, flags, pick, target, n) * times)
        elif op is ops.BRANCH:
            ways = given[1]
            way = next((way for way in ways if _holds(way, target)), ways[pick % len(ways)])
            out.append(_sample(way, flags, pick, target, n))
        else:
            out += [_sample(inner, flags, pick, target, n) for inner in _inner(op, given)]
    return "".join(out)


def _holds(tree: Tree, target: Tree | None) -> bool:
    return target is not None and any(body is target for body in _repeated(tree))


def _takes(items: Tree, letter: str, flags: int) -> bool:
    kinds = {"SPACE": letter.isspace(), "DIGIT": letter.isdecimal(), "WORD": letter.isalnum() or letter == "_"}
    forms = {letter, letter.lower(), letter.upper()} if flags & re.IGNORECASE else {letter}
    taken = negated = False
    for op, given in items:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            taken |= chr(given) in forms
        elif op is ops.RANGE:
            taken |= any(len(c) == 1 and given[0] <= ord(c) <= given[1] for c in forms)
        elif op is ops.CATEGORY:
            kind = str(given).removeprefix("CATEGORY_")
            taken |= kinds[kind.removeprefix("NOT_")] != kind.startswith("NOT_")
    return taken != negated


def _first(items: Tree) -> str:
    return next((chr(g if op is ops.LITERAL else g[0]) for op, g in items if op in (ops.LITERAL, ops.RANGE)), "\ufffd")


def seconds(pattern: re.Pattern[Any], text: str, anchored: bool) -> float:
    """CPU seconds an expression takes for a text; endless where it takes more than two seconds by the clock."""
    call = pattern.match if anchored else pattern.search
    given = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(2)
    begun = time.process_time()
    try:
        call(given)
    except TimeoutError:
        return float("inf")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return time.process_time() - begun


if __name__ == "__main__":
    json.dump(collect(), sys.stdout)
