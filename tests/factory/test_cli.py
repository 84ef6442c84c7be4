"""The command line as a user meets it: exit codes and one line for every mistake."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from factory.cli import COMMANDS, build_parser
from tests.helpers import make_capture

P2P = [sys.executable, "-m", "factory.cli"]


def p2p(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*P2P, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]


def one_error(done: subprocess.CompletedProcess[str]) -> str:
    """The error line of a run that ended with code 2 and without a traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["label", "x", "--treshold-mm", "1"], "--treshold-mm"),
        (["lable", "x"], "lable"),
        (["segment", "x"], "--checkpoint"),
        (["reconstruct", "x", "--backend", "gpu"], "gpu"),
        (["generate", "--seeds", "x"], "seeds 'x'"),
        (["generate", "--resolution", "tall"], "resolution"),
        (["produce", "--heads", "0"], "at least one head"),
        (["generate", "--blender", "/no/blender"], "no such Blender binary: /no/blender"),
        (["pack", "/nowhere"], "no such folder of captures: /nowhere"),
        (["report", "/nowhere"], "no data set: /nowhere"),
        (["reconstruct", "/nowhere"], "/nowhere"),
        (["label", "/nowhere"], "/nowhere"),
        (["segment", "/nowhere", "--checkpoint", "/no.ckpt"], "/no"),
        (["fit", "--config", "/no.yaml"], "/no.yaml"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, tmp_path: Path) -> None:
    assert message in one_error(p2p(*words, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


def test_every_command_has_help() -> None:
    text = build_parser().format_help()
    for name, command in COMMANDS.items():
        assert name in text and command.help


def test_pack_and_report(tmp_path: Path) -> None:
    for i in range(2):
        make_capture(tmp_path / "captures" / f"head_{i:08d}", seed=i)
    done = p2p("pack", tmp_path / "captures", "--out", tmp_path / "dataset", "--test-share", "0.5")
    assert done.returncode == 0, done.stderr
    done = p2p("report", tmp_path / "dataset")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "dataset" / "report.html").read_text()
    for head in ("head_00000000", "head_00000001"):
        assert head in page
    assert page.count("<img") == 2 * (3 + 5) + 1  # views, meshes, histogram; no stamps, so no timings
    assert "http" not in page  # opens without a network


def test_a_file_where_the_output_should_be(tmp_path: Path) -> None:
    make_capture(tmp_path / "captures" / "head_00000000")
    (tmp_path / "dataset").write_text("precious")
    line = one_error(p2p("pack", tmp_path / "captures", "--out", tmp_path / "dataset"))
    assert str(tmp_path / "dataset") in line
    assert (tmp_path / "dataset").read_text() == "precious"


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk."""
    make_capture(tmp_path / "captures" / "head_00000000")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    line = one_error(p2p("pack", tmp_path / "captures", "--out", tmp_path / "dataset", preexec_fn=limit))
    assert "dataset" in line
    assert not [path for path in (tmp_path / "dataset").rglob("*") if path.is_file()]
