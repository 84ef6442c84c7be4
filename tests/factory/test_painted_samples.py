"""Scans that a person painted, as samples of a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import Capture, InputError, Labels, Scan
from factory.cli.main import main
from factory.dataset.packing import PackSettings, list_captures, pack
from factory.dataset.store import Store
from factory.production.verify import verify
from factory.report.dataset_reader import DatasetReader
from factory.report.sample_sections import head_section
from scans.head_sample import HeadSample
from scans.meshes.reading import read_scan, scan_key
from tests.helpers import make_capture
from training.data.shards import read_heads, read_splits
from training.pixels.cache import decode_images


def paint(folder: Path, *, unit: float = 1000.0, kind: str = "plain") -> Capture:
    """A toy capture of one's own, painted: scan and cameras in another unit, no `capture.json`; its top left open.

    A "tiled" scan is of two parts that don't share their vertices at the seam, a "foreign" one an ASCII file.
    """
    capture = make_capture(folder, seed=1)
    scan = Scan.read(capture.scan_path)
    vertices, faces = scan.vertices.astype(float) * unit, scan.faces
    if kind == "tiled":
        behind = (vertices[faces][:, :, 0] > 0).all(axis=1)
        faces = np.where(behind[:, None], faces + len(vertices), faces)
        vertices = np.concatenate([vertices, vertices])
    Scan(vertices, faces).write(capture.scan_path)
    if kind == "foreign":
        trimesh.Trimesh(vertices, faces, process=False).export(capture.scan_path, encoding="ascii")
    cameras = [replace(camera, translation=camera.translation * unit) for camera in capture.cameras]
    Capture.create(folder, cameras)
    (folder / Capture.INFO).unlink()
    (folder / Capture.HEAD).unlink()
    written = read_scan(capture.scan_path)
    skin, known = written.vertices[:, 1] < 0, written.vertices[:, 2] < 0.05 * unit
    distance = np.full(len(skin), np.nan, np.float32)
    labels = Labels(distance, skin & known, known=known, scan=scan_key(written), painted=True)
    labels.write(capture.labels_path)
    return Capture.read(folder)


def pack_one(captures: Path, out: Path) -> HeadSample:
    pack(list_captures(captures), out, PackSettings(test_share=0))
    (head,) = read_heads(read_splits(out)["train"].shards[0])
    return head


@pytest.mark.parametrize("kind", ["plain", "tiled", "foreign"])
def test_a_painted_scan_is_packed_in_metres(tmp_path: Path, kind: str) -> None:
    capture = paint(tmp_path / "captures" / "me", kind=kind)
    head = pack_one(tmp_path / "captures", tmp_path / "data")
    points, labels = head.scan.vertices, head.labels
    assert head.id == "me" and head.info["painted"] and len(points) == 642
    assert np.abs(np.linalg.norm(points, axis=1) - 0.1).max() < 1e-4
    np.testing.assert_allclose(head.cameras[0].translation, capture.cameras[0].translation / 1000)
    assert labels is not None and labels.painted and labels.known is not None and labels.seen_class is None
    np.testing.assert_array_equal(labels.known, points[:, 2] < 0.05)
    np.testing.assert_array_equal(labels.skin, (points[:, 1] < 0) & (points[:, 2] < 0.05))
    assert np.isnan(labels.distance_mm).all()
    assert verify(Store(tmp_path / "data")) == {"shards": 1, "heads": 1, "vertices": 642}


def test_what_painted_scans_and_synthetic_heads_share_a_data_set_is_told(tmp_path: Path) -> None:
    paint(tmp_path / "captures" / "me")
    make_capture(tmp_path / "captures" / "head_00000007", seed=7)
    out = tmp_path / "data"
    assert main(["pack", str(tmp_path / "captures"), "--out", str(out), "--unit", "mm", "--camera-unit", "mm"]) == 0
    assert verify(Store(out))["heads"] == 2
    reader = DatasetReader(str(out))
    sections = {}
    for location, entry in reader.entries():
        sections[entry.id] = head_section(reader.read_head(location), location.split)
        assert entry.facts.get("painted", False) == (entry.id == "me")
        labels = reader.read_head(location).labels
        assert f"{100 * labels.skin[labels.is_known].mean():.0f} % of " in sections[entry.id]["summary"]
        assert ("were left open" in sections[entry.id]["summary"]) == (entry.id == "me")
    titles = {name: [mesh["caption"] for mesh in section["meshes"]] for name, section in sections.items()}
    assert any("distance" in title for title in titles["head_00000007"])
    assert not any("distance" in title for title in titles["me"]) and "mm from" not in sections["me"]["summary"]


def test_units_are_told_and_an_image_of_another_shape_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture = paint(tmp_path / "captures" / "me")
    caplog.set_level("INFO")
    pack_one(tmp_path / "captures", tmp_path / "data")
    assert "units of scan of me: millimetres (guessed: it is 198 wide), cameras: millimetres" in caplog.text
    image = capture.image_paths[1]
    Image.new("RGB", (48, 20)).save(image)
    with pytest.raises(InputError, match=rf"{image.name} is 48 x 20, its camera 48 x 48: another shape"):
        pack_one(tmp_path / "captures", tmp_path / "data")


def test_the_segmenter_of_images_does_not_train_on_painted_scans(tmp_path: Path) -> None:
    paint(tmp_path / "captures" / "me")
    pack_one(tmp_path / "captures", tmp_path / "data")
    with pytest.raises(InputError, match=r"^me in the data set has no class masks: it is a person's painted scan"):
        decode_images(read_splits(tmp_path / "data")["train"], 32, tmp_path)


def test_painted_labels_that_say_nothing_are_refused(tmp_path: Path) -> None:
    capture = paint(tmp_path / "captures" / "me")
    labels = Labels.read(capture.labels_path)
    replace(labels, known=np.zeros(len(labels), bool)).write(capture.labels_path)
    with pytest.raises(InputError, match="nothing is painted on the scan's surface"):
        pack_one(tmp_path / "captures", tmp_path / "data")
    replace(labels, scan="another").write(capture.labels_path)
    with pytest.raises(InputError, match="was painted on another scan"):
        pack_one(tmp_path / "captures", tmp_path / "data")
    assert not (tmp_path / "data").exists()
