"""Specs: determinism, independence of streams, JSON."""

from __future__ import annotations

import dataclasses
import datetime
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.head_models.head_model import Pose
from capture import InputError
from generator.components.beard import FAMILIES as BEARDS
from generator.components.beard import sample_beard
from generator.components.garment import KINDS as GARMENTS
from generator.components.hair import FAMILIES, HairSpec, family_weights, sample_hair_colour
from generator.components.person import Person
from generator.distributions import Distributions
from generator.sampling import sample_spec
from generator.spec import COMPONENTS, HeadSpec
from generator.streams import component_stream
from tests.generator.toy_model import ToyModel, override

MODEL = ToyModel()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**40))
def test_same_seed_same_spec_and_json_round_trip(seed: int) -> None:
    spec = sample_spec(seed, MODEL)
    assert spec == sample_spec(seed, MODEL)
    text = json.dumps(spec.to_json(), allow_nan=False)
    read = HeadSpec.from_json(json.loads(text))
    assert read == spec
    assert json.dumps(read.to_json()) == text  # 0 equals 0.0, but a record that is rendered again keeps its bytes


def test_different_seeds_differ() -> None:
    assert len({json.dumps(sample_spec(seed, MODEL).to_json()) for seed in range(50)}) == 50


def test_known_stream_values() -> None:
    """The streams are part of the data format: these numbers must never change."""
    assert round(float(component_stream(0, "skin").random()), 12) == 0.941545150787
    assert round(float(component_stream(7, "hair").random()), 12) != round(
        float(component_stream(7, "skin").random()), 12
    )


def test_streams_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sample_spec(5, MODEL)

    def greedy(sampler, person, colour_sampler):  # type: ignore[no-untyped-def]
        sampler.rng.random(1000)
        return HairSpec("none", sample_hair_colour(colour_sampler, person), strands=0)

    monkeypatch.setitem(COMPONENTS, "hair", dataclasses.replace(COMPONENTS["hair"], sample=greedy))
    after = sample_spec(5, MODEL)
    for field in dataclasses.fields(HeadSpec):
        if field.name != "hair":
            assert getattr(before, field.name) == getattr(after, field.name), field.name


@pytest.mark.parametrize("family", FAMILIES)
def test_hair_override_leaves_the_rest(family: str) -> None:
    plain, fixed = sample_spec(3, MODEL), sample_spec(3, MODEL, override(hair={"family": family}))
    assert fixed.hair.family == family
    assert fixed.overrides == {"hair": {"family": family}}
    assert dataclasses.replace(fixed, hair=plain.hair, overrides={}) == plain


@pytest.mark.parametrize("family", BEARDS)
def test_beard_override(family: str) -> None:
    assert sample_spec(3, MODEL, override(beard={"family": family})).beard.family == family


def test_overriding_with_the_drawn_family_changes_nothing() -> None:
    drawn = sample_spec(9, MODEL)
    assert sample_spec(9, MODEL, override(hair={"family": drawn.hair.family})).hair == drawn.hair


def test_a_record_tells_that_its_seed_alone_gives_another_head() -> None:
    """Whoever draws the seed of a record again must see that something was fixed by hand."""
    fixed = sample_spec(9, MODEL, override(hair={"family": "bun"}, environment={"hdri": "city"}, pose={"strength": 0}))
    again = HeadSpec.from_json(json.loads(json.dumps(fixed.to_json())))
    assert again == fixed
    assert again == sample_spec(again.seed, MODEL, Distributions(again.overrides))
    assert sample_spec(9, MODEL).overrides == {}


def test_neutral_leaves_identity_and_the_rest() -> None:
    still = override(expression={"strength": 0}, pose={"strength": 0})
    plain, neutral = sample_spec(4, MODEL), sample_spec(4, MODEL, still)
    assert neutral.shape.identity == plain.shape.identity
    assert not any(neutral.shape.expression) and neutral.shape.pose == Pose()
    assert dataclasses.replace(neutral, shape=plain.shape, overrides={}) == plain


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda v: v.pop("skin"), "missing skin"),
        (lambda v: v.update(hat=1), "unknown hat"),
        (lambda v: v.update(schema_version=99), "schema version 99"),
        (lambda v: v["skin"].update(melanin="dark"), r"skin\.melanin"),
        (lambda v: v["hair"].update(family="mohawk"), "mohawk"),
        (lambda v: v["environment"].update(hdri="moon"), "moon"),
        (lambda v: v["garment"].update(gap_mm=0.5), "2.5 mm"),
        (lambda v: v["eyes"].update(iris="violet"), "violet"),
        (lambda v: v["skin"].update(melanin=float("nan")), r"skin\.melanin.*finite"),
        (lambda v: v["shape"]["identity"].__setitem__(0, float("inf")), r"identity\[0\].*finite"),
        (lambda v: v["shape"]["pose"].update(neck=[50.0, 0.0, 0.0]), r"spec\.shape: .*radians"),
        (lambda v: v["skin"]["makeup"].update(lipstick=7.0), r"spec\.skin\.makeup: .*lipstick 7: use 0 to 1"),
        (lambda v: v["hair"].update(seed=-1), r"spec\.hair: hair seed -1"),
        (lambda v: v["brows"].update(strands=-3), r"spec\.brows: brows strands -3"),
        (lambda v: v["lashes"].update(length_mm=300.0), r"lashes length_mm 300"),
        (lambda v: v["beard"].update(radius_mm=-1.0), r"beard radius_mm -1"),
        (lambda v: v["eyes"].update(iris_mm=0.0), r"eyes iris_mm 0"),
        (lambda v: v["garment"].update(colour=[9.0, 0.0, 0.0]), r"garment colour"),
        (lambda v: v["headwear"].update(brim_mm=9000.0), r"headwear brim_mm 9000"),
        (lambda v: v["environment"].update(backdrop=[-1.0, 0.0, 0.0]), r"environment backdrop"),
        (lambda v: v["environment"].update(key=[0.0, 400.0]), r"environment key"),
        (lambda v: v["rig"].update(distance=-1.2), r"rig: distance -1\.2"),
        (lambda v: v["rig"].update(jitter=[[0.0, 0.0, -1.0, 0.0, 0.0]] * len(v["rig"]["views"])), "jitter"),
        (lambda v: v.update(seed=-4), "head seed -4"),
    ],
)
def test_wrong_json_is_named(change, match: str) -> None:  # type: ignore[no-untyped-def]
    value = json.loads(json.dumps(sample_spec(0, MODEL).to_json()))
    change(value)
    with pytest.raises(InputError, match=match):
        HeadSpec.from_json(value)


def test_negative_seed() -> None:
    with pytest.raises(InputError, match="seed -1"):
        sample_spec(-1, MODEL)


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ({"hat": {}}, "unknown component 'hat'"),
        ({"hair": 3}, "hair: an object"),
        ({"hair": {"lenght_mm": 3}}, "hair: unknown lenght_mm; it draws"),
        ({"hair": {"bob": {"lenght_mm": 3}}}, r"hair: unknown bob\.lenght_mm"),
        ({"hair": {"family": "mohawk"}}, r"hair\.family: 'mohawk'"),
        ({"hair": {"family": {"bob": -1}}}, "weights are numbers"),
        ({"skin": {"melanin": [1, 0]}}, r"skin\.melanin"),
        ({"skin": {"melanin": "dark"}}, r"skin\.melanin"),
        ({"hair": {True: 2, "lenght_mm": 3}}, "True is no name"),
        ({"skin": {"melanin": datetime.date(2020, 1, 1)}}, "datetime"),
        ({"lashes": {"strands": -10}}, "distributions: lashes strands -10"),
        ({"rig": {"views": [{"azimuth": 0, "distance": 0}]}}, r"views\[0\].*use 0\.3 to 20 m"),
    ],
)
def test_overrides_that_do_not_fit_are_named(overrides: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        sample_spec(0, MODEL, Distributions(overrides))


def test_overrides_hold_and_leave_the_rest() -> None:
    overrides = {
        "skin": {"melanin": {"mean": 0.5, "sd": 0.01}},
        "hair": {"family": ["bun", "bob"], "clump": [0.1, 0.2], "bun": {"clump": 0.9}},
    }
    for seed in range(20):
        plain, fixed = sample_spec(seed, MODEL), sample_spec(seed, MODEL, Distributions(overrides))
        assert 0.47 < fixed.skin.melanin < 0.53
        assert fixed.hair.clump == 0.9 if fixed.hair.family == "bun" else 0.1 <= fixed.hair.clump <= 0.2
        assert (fixed.shape, fixed.garment, fixed.rig, fixed.skin.flush) == (
            plain.shape,
            plain.garment,
            plain.rig,
            plain.skin.flush,
        )


def test_only_a_single_name_gives_feminine_faces_beards() -> None:
    woman, man = Person(0.1, 40.0), Person(0.9, 40.0)
    for seed in range(40):

        def beard(overrides: dict, person: Person, seed: int = seed) -> str:
            return sample_beard(Distributions({"beard": overrides}).sampler(seed, "beard"), person).family

        assert beard({"family": ["full", "short"]}, woman) == beard({"family": {"full": 1}}, woman) == "none"
        assert beard({"family": "full"}, woman) == "full" and beard({"family": ["full"]}, man) == "full"


def test_necks_are_bare_on_every_second_head_and_covered_by_beards_on_every_third_man() -> None:
    low = sum(share for kind, share in GARMENTS.items() if kind in ("tshirt", "vneck", "tank"))
    assert low / sum(GARMENTS.values()) == pytest.approx(0.5, abs=0.01)
    assert sum(BEARDS.values()) == pytest.approx(1) and BEARDS["full"] + BEARDS["short"] > 0.32
    man = family_weights(Person(1.0, 50.0))
    assert (man["balding"] + man["buzz"]) / sum(man.values()) > 0.25


def test_age_and_sex_shift_hair_softly() -> None:
    """Grey and balding come with the years, long hair rather on women; nothing is ruled out."""
    young, old, woman = (family_weights(p) for p in (Person(1.0, 20.0), Person(1.0, 75.0), Person(0.0, 30.0)))
    assert old["balding"] > 3 * young["balding"] and woman["long_wavy"] > 2 * young["long_wavy"]
    assert min(*old.values(), *young.values(), *woman.values()) > 0
    grey = [
        np.mean(
            [
                sample_hair_colour(Distributions().sampler(seed, "hair_colour"), Person(0.5, age, 0.3)).grey
                for seed in range(200)
            ]
        )
        for age in (22.0, 50.0, 80.0)
    ]
    assert grey[0] < 0.05 < grey[1] < grey[2] and 0.15 < grey[1] < 0.4
