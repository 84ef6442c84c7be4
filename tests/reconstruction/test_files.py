from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture import Capture, InputError, SparseModel
from reconstruction.colmap import pycolmap
from reconstruction.colmap.maps import read_map, write_map
from reconstruction.colmap.workspace import Workspace, seed_points
from reconstruction.depth import DepthMap
from reconstruction.neighbours import Neighbours, find_neighbours
from reconstruction.ranges import find_volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import find_masks, load_views
from tests.reconstruction.synthetic import grid, sphere_depth


@pytest.mark.parametrize("shape", [(5, 7), (4, 6, 3)])
def test_maps_round_trip(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    write_map(tmp_path / "map.bin", values)
    assert np.array_equal(read_map(tmp_path / "map.bin"), values)


def test_colmap_reads_our_maps(tmp_path: Path) -> None:
    depth = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    write_map(tmp_path / "depth.bin", depth)
    theirs = pycolmap.DepthMap()
    theirs.read(str(tmp_path / "depth.bin"))
    assert np.array_equal(np.asarray(theirs.to_array()), depth)


def test_damaged_map_is_named(tmp_path: Path) -> None:
    path = tmp_path / "depth.bin"
    path.write_bytes(b"5&7&1&abc")
    with pytest.raises(InputError, match=r"depth\.bin"):
        read_map(path)
    with pytest.raises(InputError, match="missing"):
        read_map(tmp_path / "other.bin")


def test_masks_are_found_by_name(sphere: Capture, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder of masks"):
        find_masks(sphere, tmp_path / "masks")
    for camera in sphere.cameras[1:]:
        (tmp_path / camera.name).touch()
    missing = sphere.cameras[0].name
    with pytest.raises(InputError, match=f"no mask for {missing}"):
        find_masks(sphere, tmp_path)
    first = tmp_path / f"{Path(missing).stem}.jpg"
    first.touch()
    assert [path.stem for path in find_masks(sphere, tmp_path)] == [Path(c.name).stem for c in sphere.cameras]
    (tmp_path / missing).touch()
    with pytest.raises(InputError, match=f"2 masks for {missing}"):
        find_masks(sphere, tmp_path)


def test_each_image_has_a_mask_of_its_own(sphere: Capture, tmp_path: Path) -> None:
    """By its path below images/: equal names in folders of cameras are different images."""
    like = sphere.cameras[0]

    def masks(names: list[str], files: list[str]) -> list[str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for file in (*files, ".DS_Store", "._a.png", "left/._a.png"):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        cameras = tuple(replace(like, name=name) for name in names)
        found = find_masks(Capture(tmp_path, SparseModel(cameras), sphere.info), folder)
        return [path.relative_to(folder).as_posix() for path in found]

    both = ["left/a.jpg", "right/a.jpg"]
    assert masks(both, ["left/a.png", "right/a.png"]) == ["left/a.png", "right/a.png"]
    assert masks(both, ["left/a.jpg.png", "right/a.jpg"]) == ["left/a.jpg.png", "right/a.jpg"]
    assert masks(["left/a.jpg", "right/b.jpg"], ["a.png", "b.jpg"]) == ["a.png", "b.jpg"]
    assert masks(["a.jpg", "left/a.jpg"], ["a.png", "left/a.png"]) == ["a.png", "left/a.png"]
    assert masks(["a.jpg"], ["a.jpg.png", "a.tif"]) == ["a.jpg.png"]
    assert masks(["a.jpg", "a.png"], ["a.jpg", "a.png"]) == ["a.jpg", "a.png"]
    assert masks(["a.jpg", "a.png"], ["a.jpg.png", "a.png.png"]) == ["a.jpg.png", "a.png.png"]
    for names, files, lacking in [
        (both, ["a.png"], "left/a.jpg"),  # one for two
        (both, ["left/a.png", "a.png"], "right/a.jpg"),
        (["a.jpg", "a.png"], ["a.jpg"], "a.png"),
    ]:
        with pytest.raises(InputError, match=f"no mask for {lacking}; one file named"):
            masks(names, files)


def test_workspace_is_a_colmap_model_with_tracks(sphere: Capture, tmp_path: Path) -> None:
    views = load_views(sphere)
    volume = find_volume(sphere.cameras, sphere.model.points, ReconstructionSettings())
    workspace = Workspace(tmp_path)
    workspace.create(views, find_neighbours(sphere.cameras, volume, 4))
    maps = []
    for camera in sphere.cameras:
        depth = sphere_depth(camera, grid(camera)).astype(np.float32)
        maps.append(DepthMap(depth, np.zeros((*depth.shape, 3), np.float32)))
    workspace.write_sparse(sphere.cameras, seed_points(views, maps))
    model = pycolmap.Reconstruction(str(workspace.sparse))
    assert model.num_images() == 5
    assert model.num_points3D() > 100
    assert min(len(point.track.elements) for point in model.points3D.values()) >= 2
    assert (tmp_path / "stereo" / "patch-match.cfg").read_text().splitlines()[0] == "view_00.png"


def test_workspace_images_are_lossless_whatever_their_names(sphere: Capture, tmp_path: Path) -> None:
    first = load_views(sphere)[0]
    names = [f"{suffix}/view.{suffix}" for suffix in ("png", "tif", "bmp", "webp", "gif", "pgm", "jp2", "pfm", "odd")]
    views = [replace(first, camera=replace(first.camera, name=name)) for name in names]
    workspace = Workspace(tmp_path)
    workspace.create(views, [Neighbours(np.zeros(0, np.int64), np.zeros(0, np.float32))] * len(views))
    for name in names:
        found = pycolmap.Bitmap.read(str(tmp_path / "images" / name), as_rgb=True)
        assert found is not None
        np.testing.assert_array_equal(found.to_array(), first.colours, err_msg=name)
