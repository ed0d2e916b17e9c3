"""The README's lines for array jobs, Ray and Spark, as they stand there, give the bytes of a run at home."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from runs import digest, write_stories

from pipeline import open_run

README = (Path(__file__).parent.parent.parent / "README.md").read_text("utf-8")
SBATCH = f"""#!{sys.executable}
import os, subprocess, sys
options = dict(word.split("=") for word in sys.argv[1:] if word.startswith("--") and "=" in word)
first, last = map(int, options["--array"].split("-"))
command = sys.argv[sys.argv.index("--wrap") + 1]
jobs = [
    subprocess.Popen(["sh", "-c", command], env={{**os.environ, "SLURM_ARRAY_TASK_ID": str(n)}})
    for n in range(first, last + 1)
]
sys.exit(max(job.wait() for job in jobs))
"""


def shown(after: str, language: str, shared: Path) -> str:
    found = re.compile(rf"{re.escape(after)}.*?```{language}\n(.*?)```", re.DOTALL).search(README)
    assert found is not None
    assert found[1].count("/shared/stories") == found[1].count("/shared/out") == 2
    return found[1].replace("/shared", str(shared))


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    write_stories(tmp_path / "shared" / "stories", 10)
    return tmp_path / "shared"


def test_array_jobs(shared: Path, tmp_path: Path, blank_model: Path, copydesk: Any) -> None:
    """All jobs at once; ``sbatch`` is a script that starts them, for want of a cluster."""
    (tmp_path / "copydesk.toml").write_text(f'model = "{blank_model}"\nencoder = "none"\n[run]\nshard_words = 100\n')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), sysconfig.get_path("scripts"), os.environ["PATH"]])
    script = shown("Array jobs need no scheduler", "sh", shared)
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"stories, \d+ words in 1 of 4 shards\n", done.stderr)) == 4
    assert done.stderr.count("1 shards made, 0 made already, of 4 in the run") == 4
    assert done.stderr.count("0 words in 0 of 4 shards: nothing to do here") == 6
    assert "words: everything is made already\n10 found: 10 ok" in done.stderr
    copydesk("run", shared / "stories", "-o", tmp_path / "home", cwd=tmp_path)
    assert digest(shared / "out") == digest(tmp_path / "home")


@pytest.mark.parametrize(("name", "after"), [("ray", "With Ray"), ("pyspark", "With Spark")])
def test_other_schedulers(name: str, after: str, shared: Path, tmp_path: Path, copydesk: Any) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    script = tmp_path / "script.py"
    script.write_text(shown(after, "python", shared).replace("JOBS = 100", "JOBS = 3"))
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    copydesk("run", shared / "stories", "-o", tmp_path / "home", "--workers", "1")
    assert digest(shared / "out") == digest(tmp_path / "home")
    assert open_run(shared / "out").manifest["made"] == []  # the jobs did it all
