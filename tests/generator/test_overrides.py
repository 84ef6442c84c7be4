"""Overrides have an effect or are refused: of every question that a component asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from assets.head_models.head_model import HeadModel
from assets.makehuman.model import load_default_model
from assets.parameter_sampler import Question
from capture import InputError
from factory.cli.main import main
from factory.stages.overrides import read_overrides
from generator.components.shape import SHAPE_STREAMS
from generator.distributions import Distributions, RecordedDistributions
from generator.reference import list_parameters
from generator.sampling import check_overrides, sample_spec
from generator.spec import STREAMS, HeadSpec
from tests.generator.toy_model import ToyModel

TOY = ToyModel()


def model_of(stream: str) -> HeadModel:
    return load_default_model() if stream in SHAPE_STREAMS else TOY


def questions() -> Iterator[tuple[str, str, Question]]:
    for model in (load_default_model(), TOY):
        recorded = RecordedDistributions()
        sample_spec(0, model, recorded)
        for stream in STREAMS:
            if model is model_of(stream):
                for name, question in recorded.samplers[stream].asked.items():
                    yield stream, name, question


QUESTIONS = list(questions())
BY_NAME = {(stream, name): question for stream, name, question in QUESTIONS}
GATED = [
    (stream, name, flag, name in question.yes_for)
    for stream, flag, question in QUESTIONS
    for name in (*question.yes_for, *question.no_for)
    if BY_NAME[stream, name].weights != {"": 1.0}
]
SHOWN = [(stream, choice, name, q) for stream, choice, q in QUESTIONS for name in q.shows]


def drawn(seed: int, stream: str, overrides: Mapping[str, Any]) -> HeadSpec:
    """The head, without the record of the overrides."""
    spec = sample_spec(seed, model_of(stream), Distributions({stream: overrides}))
    return dataclasses.replace(spec, overrides={})


def values(question: Question) -> list[Any]:
    """What is worth overriding a question with."""
    if question.kind == "flag":
        return [True, False]
    if question.kind == "choice":
        return list(question.weights)
    if question.normal:
        return [question.low + question.high / 3]
    return [question.low + 0.3 * (question.high - question.low) if question.high > question.low else 0.9 * question.low]


@pytest.mark.parametrize(
    ("stream", "name", "question"),
    [pytest.param(*each, id=f"{each[0]}.{each[1]}") for each in QUESTIONS if each[2].kind != "value"],
)
def test_every_question_changes_something_or_is_refused(stream: str, name: str, question: Question) -> None:
    if question.weights == {"": 1.0} or name in ("library", "textured"):
        given = "mine/asset" if question.weights else True
        with pytest.raises(InputError, match="no library has"):
            if told := check_overrides(0, model_of(stream), Distributions({stream: {name: given}})):
                raise InputError(told[0])
        return
    for seed in range(60):
        plain = drawn(seed, stream, {})
        if any(drawn(seed, stream, {name: value}) != plain for value in values(question)):
            return
    told = check_overrides(0, model_of(stream), Distributions({stream: {name: values(question)[0]}}))
    assert any("ask for one of them" in line for line in told), f"{stream}.{name} changes nothing"


@pytest.mark.parametrize(("stream", "name", "flag", "yes"), GATED)
def test_what_matters_after_a_yes_or_no_alone_answers_it(stream: str, name: str, flag: str, yes: bool) -> None:
    value = values(BY_NAME[stream, name])[-1]
    for seed in range(4):
        assert drawn(seed, stream, {name: value}) == drawn(seed, stream, {name: value, flag: yes})
    told = check_overrides(0, model_of(stream), Distributions({stream: {name: value, flag: not yes}}))
    assert len(told) == 1 and told[0].startswith(f"{stream}.{name}: {flag} is {not yes}; leave one of them out")


def test_how_often_may_be_said_beside() -> None:
    grey = [drawn(seed, "hair_colour", {"grey": 0.8, "greying": 0.3}).hair.colour.grey for seed in range(60)]
    assert set(grey) == {0.0, 0.8} and 0.1 < grey.count(0.8) / 60 < 0.5
    assert {drawn(seed, "hair_colour", {"grey": [0.7, 1.0]}).hair.colour.grey >= 0.7 for seed in range(20)} == {True}


@pytest.mark.parametrize(("stream", "choice", "name", "question"), SHOWN)
def test_what_a_choice_hides_is_refused(stream: str, choice: str, name: str, question: Question) -> None:
    value = values(BY_NAME[stream, name])[0]
    for option in question.weights:
        told = check_overrides(0, model_of(stream), Distributions({stream: {choice: option, name: value}}))
        told = [line for line in told if f"{stream}.{name}: it shows with {choice} " in line]
        assert bool(told) == (option not in question.shows[name]), option


def test_families_that_are_never_drawn_and_names_that_they_do_not_ask_for_are_refused() -> None:
    def told(overrides: dict[str, Any]) -> list[str]:
        return check_overrides(0, TOY, Distributions({"hair": overrides}))

    assert told({"family": ["bob", "bun"], "bob": {"length_mm": 200}}) == []
    assert "hair.crop: crop is never drawn" in told({"family": ["bob", "bun"], "crop": {"length_mm": 20}})[0]
    assert "hair: unknown bob.family; it draws" in told({"bob": {"family": "bun"}})[0]
    assert "hair.bob: 3 does not fit; an object of overrides" in told({"bob": 3})[0]


def test_a_family_and_a_choice_of_one_name_are_told_apart() -> None:
    """A moustache is a family of beards, and a shape that other families have, too."""
    beard = {"family": "goatee"}
    for weights in ("pencil", ["pencil"], {"pencil": 2}):
        assert drawn(0, "beard", {**beard, "moustache": weights}).beard.moustache == "pencil"
    own = {"family": "moustache", "moustache": {"length_mm": 11, "moustache": "handlebar"}}
    assert drawn(0, "beard", own).beard.length_mm == 11
    assert check_overrides(0, TOY, Distributions({"beard": own})) == []


def test_all_mistakes_of_a_file_are_told_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heads.yaml"
    path.write_text(
        "hat: {}\nskin: {melanin: dark, lips: [0.9, 0.1]}\nhair: {family: mohawk, lenght_mm: 3}\n"
        "garment: {gap_mm: 0.1}\nenvironment: {background: black, grey: 0.4}\nsensor:\n"
    )
    assert main(["distributions", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: 7 mistakes: (1) unknown component 'hat'") and said.count("\n") == 1
    for mistake in (
        "skin.melanin: 'dark' does not fit", "skin.lips: [0.9, 0.1]", "hair.family: 'mohawk'",
        "hair: unknown lenght_mm", "garment gap 0.1 mm", "environment.grey: it shows with background grey only",
    ):  # fmt: skip
        assert mistake in said
    with pytest.raises(InputError, match="7 mistakes"):
        read_overrides(path)
    path.write_text("# skin: {melanin: 0.5}\nhair:\n")
    assert read_overrides(path).overrides == {}


def test_an_option_of_the_command_may_hide_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "heads.yaml"
    path.write_text("beard: {length_mm: 20}\nhair: {bun: {length_mm: 400}}\n")
    joined = read_overrides(path, {"beard": {"family": "none"}, "hair": {"family": "bob"}})
    assert joined.overrides["beard"] == {"length_mm": 20, "family": "none"}


def test_the_list_names_types_ranges_and_defaults() -> None:
    listed = {stream: {each.name: each for each in own} for stream, own in list_parameters(TOY).items()}
    assert set(listed) == set(STREAMS)
    hair = listed["hair"]["length_mm"]
    assert (hair.kind, hair.note) == ("number", "shows with family other than none")
    assert "18 to 75 (crop)" in hair.default and "190 to 290 (bob)" in hair.default
    assert listed["hair_colour"]["grey"].note == "an override means greying: true"
    assert listed["sensor"]["read_electrons"].default == "2 to 8"
    assert listed["garment"]["fabric"].default.startswith("jersey 35 %, knit 18 %")
    assert listed["jewellery"]["pale"].default == "55 %" and listed["jewellery"]["pale"].kind == "yes or no"
