"""What the documents name is there: files of the repository, modules, commands and their options."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.helpers import REPO

DOCUMENTS = [*sorted(REPO.glob("*.md")), *sorted((REPO / "docs").rglob("*.md"))]
IGNORED = {line.strip("/") for line in (REPO / ".gitignore").read_text().splitlines()}  # what a user made here
FOLDERS = sorted({path.name for path in REPO.iterdir() if path.is_dir() and path.name.isidentifier()} - IGNORED)
PACKAGES = [name for name in FOLDERS if (REPO / name / "__init__.py").is_file() or name in ("benchmarks", "tests")]

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def code_of(document: Path) -> Iterator[str]:
    """Pieces of code: lines of indented and fenced blocks, continued ones joined, and words between backquotes."""
    text = document.read_text()
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    for block in [*fenced, *re.findall(r"(?:^    .*\n)+", text, re.M)]:
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", text)


@every_document
def test_files_that_documents_name_are_there(document: Path) -> None:
    pattern = re.compile(rf"(?<![\w./<-])(?:{'|'.join(FOLDERS)})/[\w./*-]*")
    for code in code_of(document):
        for path in pattern.findall(code):
            assert list(REPO.glob(path.rstrip("/."))), f"{document.name} names {path} ({code.strip()})"


@every_document
def test_links_of_documents_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", document.read_text()):
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), f"{document.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
            anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in anchors, f"{document.name} links to {target}#{anchor}"


@every_document
def test_modules_that_documents_name_are_there(document: Path) -> None:
    pattern = re.compile(rf"(?<![\w./<-])(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+(?![\w/(]|\.\w)")
    for code in code_of(document):
        for name in pattern.findall(code):
            assert name.endswith(_FILES) or _is_there(name), f"{document.name} names {name} ({code.strip()})"


_FILES = (".json", ".npz", ".ply", ".md", ".yaml", ".html", ".jsonl")


def _is_there(name: str) -> bool:
    """Whether a dotted name is a module of ours, or something that a module of ours mentions."""
    place, rest = REPO, name.split(".")
    while rest and (place / rest[0]).is_dir():
        place /= rest.pop(0)
    if rest and (place / f"{rest[0]}.py").is_file():
        return all(re.search(rf"\b{word}\b", (place / f"{rest[0]}.py").read_text()) for word in rest[1:])
    return not rest or all(re.search(rf"\b{word}\b", (place / "__init__.py").read_text()) for word in rest)


SCRIPT = "blender_scripts/generate.py"
COMMAND = re.compile(rf"(?:^|[\s;(])((?:p2p|python -m training(?:\.pixels)?|python {SCRIPT}) [^#;]*)")


@cache
def help_of(*words: str) -> str:
    """What a command answers to `--help`."""
    if words[1] == SCRIPT:
        asked = [sys.executable, REPO / SCRIPT, "--help"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    if words[0] == "p2p":
        from factory.cli.main import main
    elif words[2] == "training":
        from training.cli import main
    else:
        from training.pixels.cli import main
    arguments = words[1:] if words[0] == "p2p" else words[3:]
    told = io.StringIO()
    with contextlib.redirect_stdout(told), pytest.raises(SystemExit) as ended:
        raise SystemExit(main([*arguments, "--help"]))
    assert not ended.value.code, words
    return told.getvalue()


@every_document
def test_commands_that_documents_show_have_these_options(document: Path) -> None:
    for code in code_of(document):
        for text in COMMAND.findall(code.replace(" | ", " ; ")):
            command, options = _parsed(text)
            for option in options if command else ():
                assert _has(help_of(*command), option), f"{document.name}: no {option} in `{text.strip()}`"


@every_document
def test_options_that_documents_name_alone_belong_to_a_command(document: Path) -> None:
    from factory.cli.main import ASSETS, COMMANDS

    told = [help_of("p2p", name) for name in (*COMMANDS, "fit") if name != "assets"]
    told += [help_of("p2p", "assets", name) for name in ASSETS]
    told += [help_of("python", "-m", "training.pixels", "fit"), help_of("python", SCRIPT)]
    for code in code_of(document):
        if code.startswith("--") and not code.startswith(FOREIGN):
            option = code.split()[0].partition("=")[0].rstrip(",.")
            assert any(_has(text, option) for text in told), f"{document.name} names {code}"


FOREIGN = ("--no-deps", "--<")  # an option of pip; a pattern


def _parsed(text: str) -> tuple[tuple[str, ...], list[str]]:
    """The command, as in `p2p assets check`, and the names of its options; none for text such as `p2p ...`."""
    words = shlex.split(re.sub(r"[\[\]|]", " ", text))
    size = 4 if words[1:2] == ["-m"] else 3 if words[:2] == ["p2p", "assets"] else 2
    command = tuple(word for word in words[:size] if not word.startswith("--"))
    options = [word.partition("=")[0].rstrip(",.") for word in words if word.startswith("--")]
    plain = all(re.fullmatch(r"[a-z0-9./_-]+", word) and word != "..." for word in command)
    return (command, options) if plain and len(command) > 1 else ((), [])


def _has(text: str, option: str) -> bool:
    """Whether a help text lists an option."""
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w.-]*[\w-])", text) is not None


def test_citation_and_changelog_are_of_this_version() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0" and citation["title"] == project["name"]
    assert {"message", "authors"} <= set(citation)  # what the format requires beside
    assert str(citation["version"]) == project["version"] and citation["license"] == project["license"]["text"]
    assert f"## {project['version']} - {citation['date-released']}" in (REPO / "CHANGELOG.md").read_text()
