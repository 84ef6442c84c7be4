"""Jobs: to a file and back, made of arguments, and refused where they are none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.head_models.registry import load_head_model
from assets.library import Library
from capture import Camera, InputError
from capture.errors import with_option_names
from generator.distributions import Distributions
from generator.jobs.annotation import AnnotationJob, PaintJob
from generator.jobs.arguments import option_names, parse_job
from generator.jobs.files import Job, read_job, write_job
from generator.jobs.heads import CaptureJob, HeadRequest, PreviewJob
from generator.jobs.labelled import LabelledJob
from generator.jobs.overlay import OverlayJob
from generator.jobs.rendering import SIDE, Rendering
from generator.jobs.scene import SceneJob
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from tests.generator.toy_model import ToyModel
from tests.helpers import camera

SPEC = sample_spec(3, ToyModel())
OVERRIDES = Distributions({"hair": {"family": ["crop", "bob"]}, "skin": {"melanin": [0.1, 0.25]}}, "heads.yaml")
HEADS = (HeadRequest(Path("/a/head_1"), 1, OVERRIDES), HeadRequest(Path("/a/head_2"), spec=SPEC, where="spec.json"))
RENDERING = Rendering(64, 2, (Path("/library"),), "/model.npz", "optix", ("depth", "uv"))
SKIN = np.random.default_rng(0).normal(size=(5, 3))
JOBS: list[Any] = [
    CaptureJob(HEADS, RENDERING, 2, True),
    CaptureJob(HEADS[:1]),
    PreviewJob(HEADS, ((0.0, 0.0), (40.0, 5.5)), RENDERING, 1),
    OverlayJob(Path("/a"), SPEC, SKIN, (camera(1), camera(2, "OPENCV")), True, RENDERING),
    OverlayJob(Path("/a"), SPEC, None, ()),
    AnnotationJob(Path("/a.blend"), Path("/scan.npz"), "key", 0.001, "text ü", (camera(),), (Path("/a.jpg"),)),
    PaintJob(Path("/a.blend"), Path("/a.npz")),
    LabelledJob(Path("/a.blend"), Path("/scan.npz"), "key", ("skin", "other")),
    SceneJob(HEADS[1], RENDERING),
]


def plain(value: Any) -> Any:
    """Cameras compare by identity, arrays element by element."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value), {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.KIND)
def test_a_job_comes_back(job: Job, tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    write_job(path, job)
    assert plain(read_job(path)) == plain(job)
    before = path.read_bytes()
    write_job(path, read_job(path))
    assert path.read_bytes() == before


@given(st.integers(0, 10**9), st.lists(st.floats(-1e3, 1e3, allow_subnormal=True), min_size=3, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_numbers_come_back_to_the_last_bit(tmp_path: Path, seed: int, numbers: list[float]) -> None:
    overrides = Distributions({"skin": {"melanin": numbers}, "rig": {"distance": numbers[0]}})
    view = Camera.pinhole("a.png", (4, 3), (1 + abs(numbers[0]), 2.0), (0.1, 0.2), np.eye(3), numbers)
    for job in (
        CaptureJob((HeadRequest(Path("/a"), seed, overrides),)),
        OverlayJob(Path("/a"), SPEC, np.array([numbers]), (view,)),
    ):
        write_job(tmp_path / "job.json", job)
        assert plain(read_job(tmp_path / "job.json")) == plain(job)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.KIND)
def test_whatever_is_missing_added_or_of_another_kind_is_named(job: Job, tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    write_job(path, job)
    whole = json.loads(path.read_text())
    for key in whole["settings"]:
        rest = {name: value for name, value in whole["settings"].items() if name != key}
        refused(path, whole | {"settings": rest}, f"missing {key}")
        wrong = {"a": {"b": [None]}}
        refused(path, whole | {"settings": whole["settings"] | {key: wrong}}, key)
    refused(path, whole | {"settings": whole["settings"] | {"more": 1}}, "unknown more")
    refused(path, whole | {"settings": [1]}, "an object is needed")
    refused(path, whole | {"kind": "render"}, "is no job for Blender")
    refused(path, whole | {"kind": ["capture"]}, "is no job for Blender")
    refused(path, whole | {"schema_version": 2}, "schema version 2, not 1")


def refused(path: Path, value: Any, message: str) -> None:
    path.write_text(json.dumps(value))
    with pytest.raises(InputError, match=message) as found:
        read_job(path)
    assert str(path) in str(found.value) and "\n" not in str(found.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "1", "{}", '{"schema_version": 3, "seed": 0}', "\xff"])
def test_a_file_that_is_no_job(content: str, tmp_path: Path) -> None:
    path = tmp_path / "capture.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"capture\.json"):
        read_job(path)
    with pytest.raises(InputError, match="job is missing"):
        read_job(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threads": 0}, "`threads` 0"),
        ({"rendering": {"resolution": 8}}, "`resolution` 8: it must lie between 16 and 8192"),
        ({"rendering": {"samples": 0}}, "`samples` 0"),
        ({"rendering": {"device": "abacus"}}, "abacus"),
        ({"rendering": {"passes": ["depth", "speed"]}}, "`passes` speed: use some of depth,normals,albedo,uv"),
        ({"heads": [{"folder": "/a", "seed": None, "spec": None}]}, "from a seed or rendered from a spec"),
        ({"heads": [{"folder": "", "seed": 1}]}, "folder"),
        ({"heads": [{"distributions": {"overrides": {"hat": {}}, "where": "a.yaml"}}]}, "unknown component 'hat'"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    write_job(path, CaptureJob(HEADS[:1]))
    value = json.loads(path.read_text())
    for key, wanted in change.items():
        before = value["settings"][key]
        if isinstance(wanted, list):
            value["settings"][key] = [before[0] | wanted[0]]
        else:
            value["settings"][key] = before | wanted if isinstance(wanted, dict) else wanted
    refused(path, value, message)


def test_arguments_make_a_job(tmp_path: Path) -> None:
    job = parse_job(["--seed", "3", "--seeds", "2:5", "--out-root", str(tmp_path)])
    assert isinstance(job, CaptureJob)
    assert [(head.seed, head.folder.name) for head in job.heads] == [
        (3, "head_00000003"), (2, "head_00000002"), (4, "head_00000004"),
    ]  # fmt: skip
    assert job.rendering == Rendering() and job.rendering.side == SIDE and job.threads is None  # defaults stand once
    words = ["--resolution", "64", "--samples", "2", "--library", "/library", "--head-model", "/model.npz"]
    words += ["--device", "optix", "--passes", "uv,depth", "--threads", "2", "--spec-only"]
    job = parse_job(["--seed", "0", "--out", str(tmp_path / "a"), *words])
    assert job == CaptureJob((HeadRequest(tmp_path / "a", 0),), RENDERING, 2, True)


def test_overrides_of_files_and_options_join(tmp_path: Path) -> None:
    (tmp_path / "heads.json").write_text(json.dumps({"hair": {"family": "bob", "clump": 0.5}}))
    (tmp_path / "rig.json").write_text(json.dumps({"views": [[0, 0], [30, 0]]}))
    words = ["--distributions", str(tmp_path / "heads.json"), "--rig", str(tmp_path / "rig.json"), "--neutral"]
    words += ["--hair", "crop", "--beard", "short", "--hdri", "city.exr"]
    job = parse_job(["--seed", "0", "--out", str(tmp_path / "a"), *words])
    assert isinstance(job, CaptureJob)
    assert job.heads[0].distributions == Distributions(
        {
            "hair": {"family": "crop", "clump": 0.5},
            "beard": {"family": "short"},
            "environment": {"hdri": "city.exr"},
            "expression": {"strength": 0.0},
            "pose": {"strength": 0.0},
            "rig": {"views": [[0, 0], [30, 0]]},
        },
        str(tmp_path / "heads.json"),
    )


@pytest.mark.parametrize("inner", [False, True])
def test_a_spec_makes_a_job(inner: bool, tmp_path: Path) -> None:
    value: Any = SPEC.to_json()
    (tmp_path / "spec.json").write_text(json.dumps({"spec": value} if inner else value))
    job = parse_job(["--spec", str(tmp_path / "spec.json"), "--out", str(tmp_path / "a")])
    assert job == CaptureJob((HeadRequest(tmp_path / "a", spec=SPEC, where=str(tmp_path / "spec.json")),))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either --out FOLDER"),
        (("--seed", "0", "--out", "a", "--out-root", "b"), "give either --out FOLDER"),
        (("--out", "a"), "no seed; give --seed N"),
        (("--seeds", "0:2", "--out", "a"), "--out takes one head"),
        (("--seeds", "0-2", "--out-root", "a"), "--seeds 0-2: use FIRST:LAST"),
        (("--seed", "0", "--out", "a", "--resolution", "8"), "--resolution 8: it must lie between 16 and 8192"),
        (("--seed", "0", "--out", "a", "--samples", "0"), "--samples 0: at least one"),
        (("--seed", "0", "--out", "a", "--threads", "0"), "--threads 0: at least one"),
        (("--seed", "0", "--out", "a", "--passes", "speed"), "--passes speed: use some of"),
        (("--seed", "0", "--out", "a", "--device", "abacus"), "--device"),
        (("--spec", "a.json", "--seed", "0", "--out", "a"), "--spec renders one head"),
        (("--sead", "0"), "see --help"),
        (("--job", "job.json", "--samples", "4"), "--job says all"),
        (("--job", "nowhere.json"), "job is missing: nowhere.json"),
    ],
)
def test_wrong_arguments_are_told_as_the_command_line_calls_them(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as found:
        parse_job(words)
    assert message in with_option_names(str(found.value), option_names())


def test_a_rig_that_says_the_resolution(tmp_path: Path) -> None:
    rig = tmp_path / "rig.json"
    rig.write_text(json.dumps({"views": [[0, 0], [30, 0]], "resolution": [64, 48]}))
    words = ["--seed", "0", "--out", str(tmp_path / "a"), "--rig", str(rig)]
    assert parse_job(words)
    with pytest.raises(InputError, match="`resolution`: the rig says how many pixels its images have"):
        parse_job([*words, "--resolution", "64"])


def test_a_request_is_drawn_or_given() -> None:
    model, other = ToyModel(), load_head_model()
    assert HeadRequest(Path("a"), 3).recipe(model, Library()) == SPEC
    assert HeadRequest(Path("a"), spec=SPEC).recipe(model, Library()) is SPEC
    with pytest.raises(InputError, match=r"s\.json: made for the head model"):
        HeadRequest(Path("a"), spec=SPEC, where="s.json").recipe(other, Library())
    shape = dataclasses.replace(SPEC.shape, identity=(*SPEC.shape.identity, 0.0))
    longer: HeadSpec = dataclasses.replace(SPEC, shape=shape)
    with pytest.raises(InputError, match=r"s\.json: \d+ numbers of identity, the head model takes \d+"):
        HeadRequest(Path("a"), spec=longer, where="s.json").recipe(model, Library())
