"""What stands in a configuration file means what the same words mean on the command line."""

from __future__ import annotations

from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_origin

import pytest

from factory.cli.main import build_parser, every_command, main
from factory.cli.parser import Command, _is_text, options_of, read_settings

PARSER = build_parser()
EVERY = every_command()


def texts_of(command: Command) -> list[Any]:
    """The options of a command that take any text."""
    texts = [each for each in options_of(command.settings) if _is_text(each) and not each.positional]
    return [
        each
        for each in texts
        if each.type is not bool and get_origin(each.type) is not Literal and not is_dataclass(each.type)
    ]


TEXTS = {name: texts for name, command in EVERY.items() if (texts := texts_of(command))}


def parsed(command: str, *words: str) -> dict[str, object]:
    """The options that the parser finds, without a check of what they mean."""
    required: list[str] = []
    for option in options_of(EVERY[command].settings):
        if option.default is MISSING:
            required += ["here"] if option.positional else [option.flag, "there"]
    found = PARSER.parse_args([*command.split(), *required, *words])
    for word in command.split():
        found = found[word]
    return {name: value for name, value in vars(found).items() if name != "config"}


@pytest.mark.parametrize("word", ["0.0010", "1:2", "2024-01-01", "no"])
@pytest.mark.parametrize("command", TEXTS)
def test_numbers_and_dates_are_texts_where_an_option_is_one(command: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_text("".join(f"{option.name}: {word}\n" for option in TEXTS[command]))
    flags = [f"{option.flag}+" if option.type == tuple[Path, ...] else option.flag for option in TEXTS[command]]
    in_file, as_words = parsed(command, "--config", str(path)), parsed(command, *(f"{flag}={word}" for flag in flags))
    assert in_file == as_words
    assert all(in_file[option.name] != option.default for option in TEXTS[command])


@pytest.mark.parametrize("text", ["", "# seeds: 5\n", "---\n", "samples:\nseeds: # 5\nlibrary:\n"])
def test_what_is_empty_is_what_the_defaults_are(text: str, tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_text(text)
    assert parsed("generate", "--config", str(path)) == parsed("generate")
    path.write_text("gates:\nlabel:\nheads: 3\n")
    settings = EVERY["produce"].settings
    made = read_settings(settings, parsed("produce", "--config", str(path)))
    assert made == read_settings(settings, parsed("produce", "--heads", "3"))


@pytest.mark.parametrize("words", [("--samples", "1:2"), ("--samples=1:2",), ("--config", "options.yaml")])
def test_a_number_to_the_base_of_60_is_none(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML 1.1 makes 62 of it."""
    monkeypatch.chdir(tmp_path)
    Path("options.yaml").write_text("samples: 1:2\n")
    try:
        code = main(["generate", *words])
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert "--samples" in (said := capsys.readouterr().err) and "needs a number, got 1:2" in said


def test_the_files_of_a_user_are_read_as_they_say(tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_text("seeds: 1:2\nresolution: 64\nlibrary: 2024\npasses: depth,normals\ndevice: cpu\nforce: yes\n")
    found = parsed("generate", "--config", str(path))
    assert (found["seeds"], found["resolution"], found["library"]) == ("1:2", 64, [Path("2024")])
    assert (found["passes"], found["device"], found["force"]) == ("depth,normals", "cpu", True)
