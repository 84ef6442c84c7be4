"""The unit of a scan by the size of the head in it, whatever its frame and unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from assets.head_models.registry import load_head_model
from assets.parameter_sampler import ParameterSampler
from capture import Scan
from registration import head_size
from registration.files.scan_scale import size_ratio
from registration.head_size import evidence_of_head
from registration.template import Template


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model())


@pytest.fixture(scope="module")
def person(template: Template) -> np.ndarray:
    """The surface of somebody's head."""
    sampler = ParameterSampler(np.random.default_rng(3))
    identity = np.asarray(template.model.sample_identity(sampler))
    return template.surface(replace(template.mean, identity=identity))


@pytest.mark.parametrize(
    ("unit", "told", "turn"),
    [
        (1.0, None, (0.0, 0.0, 0.0)),
        (0.0217, None, (0.4, 1.9, -0.7)),
        (0.0217, 0.024, (0.0, 0.0, 0.0)),
        (0.0217, 0.01, (0.0, 0.0, 0.0)),  # told wrongly
    ],
)
def test_a_head_tells_the_unit_of_its_scan(
    template: Template, person: np.ndarray, unit: float, told: float | None, turn: tuple[float, ...]
) -> None:
    face = person[:, 1] < 0.03  # what is behind the ears is hair, or was not scanned
    rotation = Rotation.from_rotvec(turn).as_matrix()
    scan = Scan((person @ rotation.T + 0.1) / unit, template.faces)
    found = evidence_of_head(template, scan, face * 1.0, told)
    assert found is not None
    assert found.metres == pytest.approx(unit / size_ratio(template, person), rel=0.04)


def test_the_average_head_is_told_exactly(template: Template) -> None:
    scan = Scan(template.surface(template.mean) / 0.0217, template.faces)
    found = evidence_of_head(template, scan, None, 0.02)
    assert found is not None and found.metres == pytest.approx(0.0217, rel=1e-3)
    assert size_ratio(template, template.surface(template.mean) * 1.2) == pytest.approx(1.2)


def test_no_head_tells_nothing(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_size, "_FACTORS", (1.0, 0.8))  # each start is a search all over
    box = trimesh.creation.box((0.2, 0.3, 0.25)).subdivide_loop(1).subdivide().subdivide().subdivide()
    assert evidence_of_head(template, Scan(box.vertices, box.faces), None) is None
