"""Textures of registered templates: what the images show lies where the template shows it, and nothing else does."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.head_models.registry import load_head_model
from capture import Camera, Capture, CaptureInfo, InputError, Mesh, Scan
from capture.derived import TEXTURE
from capture.geometry import vertex_normals
from capture.srgb import from_linear, to_linear
from registration.files.inputs import SkinWeights
from registration.files.outputs import ScanRegistration
from registration.files.texture import check_texture, write_texture
from registration.pipeline import Registration
from registration.template import Template
from registration.texture.atlas import pad, rasterise, tiles_of
from registration.texture.options import TextureOptions
from scans.ray_casting import RayCaster
from tests.helpers import looking_at_origin, p2p_here

SIDE = 256
HAIR = (20, 240, 40)
DARKER = 0.6  # exposure of one of the images

Textured = tuple[Path, ScanRegistration, Capture, dict[str, Any]]
Texels = tuple[np.ndarray, np.ndarray, np.ndarray]


def paint(points: np.ndarray) -> np.ndarray:
    """(P, 3) colours of places of the face: waves of some centimetres."""
    waves = np.stack([np.sin(points @ way) for way in ([90.0, 30, 40], [20.0, -70, 80], [-60.0, 40, 100])], axis=-1)
    return np.asarray(140 + 50 * waves)


def picture(camera: Camera, surface: Mesh, hair: Mesh, gain: float) -> np.ndarray:
    """(H, W, 3) what a camera shows of the painted surface and of green hair before it, through its own lens."""
    rows, columns = np.mgrid[: camera.height, : camera.width]
    rays = camera.rays(np.stack([columns + 0.5, rows + 0.5], axis=-1).reshape(-1, 2)).astype(np.float32)
    seen = np.zeros((len(rays), 3))
    nearest = np.full(len(rays), np.inf)
    for mesh, colours in ((surface, paint), (hair, lambda points: np.broadcast_to(HAIR, points.shape))):
        caster = RayCaster(mesh.vertices, mesh.faces, centre=np.zeros(3))
        hits = caster.first_hits(np.tile(camera.centre.astype(np.float32), (len(rays), 1)), rays)
        closer = hits.distance < nearest
        nearest[closer] = hits.distance[closer]
        seen[closer] = colours(camera.centre + rays[closer] * hits.distance[closer, None])
    return (
        (255 * from_linear(gain * to_linear(seen / 255))).clip(0, 255).round().astype(np.uint8).reshape(*rows.shape, 3)
    )


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model(), levels=0)


@pytest.fixture(scope="module")
def textured(tmp_path_factory: pytest.TempPathFactory, template: Template) -> Textured:
    """A head on its own scan with a lump of hair before the right cheek, seen by three cameras; and its texture."""
    folder = tmp_path_factory.mktemp("textured")
    vertices = template.surface(template.mean)
    surface = Mesh(vertices, template.faces)
    cheek = vertices[template.face_mask & (vertices[:, 0] < -0.035) & (vertices[:, 2] < -0.02)].mean(axis=0)
    hairy = np.linalg.norm(vertices - cheek, axis=1) < 0.018
    lifted = vertices + np.where(hairy[:, None], 0.012, 0) * vertex_normals(vertices, template.faces)
    hair = Mesh(lifted, template.faces[hairy[template.faces].all(axis=1)])
    cameras = [looking_at_origin(f"view_{i}.png", 40.0 * (i - 1), 240) for i in range(3)]
    cameras[0] = replace(
        cameras[0], model="OPENCV", params=(*cameras[0].focal, *cameras[0].principal, -0.25, 0.1, 0.002, -0.003)
    )
    (folder / "images").mkdir()
    for camera, gain in zip(cameras, (1.0, 1.0, DARKER), strict=True):
        Image.fromarray(picture(camera, surface, hair, gain)).save(folder / "images" / camera.name)
    capture = Capture.create(folder, cameras, CaptureInfo("textured"))
    scan = Scan(lifted, template.faces)
    weights = SkinWeights((~hairy).astype(float), None, None, "skin as made")
    registration = Registration(vertices, vertices, template.mean, {})
    done = ScanRegistration("textured", scan, 1.0, weights, template, registration)
    return folder, done, capture, write_texture(folder, done, capture, TextureOptions(SIDE))


@pytest.fixture(scope="module")
def texels(textured: Textured, template: Template) -> Texels:
    """Rows, columns and places (P, 3) of the texels whose centres lie in triangles, one triangle after the other."""
    vertices = textured[1].registration.vertices
    corners = np.stack([template.corner_uvs[:, [0, 1, 2]], template.corner_uvs[:, [0, 2, 3]]], axis=1)
    faces = np.stack([template.polygons[:, [0, 1, 2]], template.polygons[:, [0, 2, 3]]], axis=1)
    quads = template.polygons[:, 3] >= 0
    found = []
    for uv, face in zip(corners[quads].reshape(-1, 3, 2), faces[quads].reshape(-1, 3), strict=True):
        low, high = np.floor(uv.min(axis=0) * SIDE).astype(int), np.ceil(uv.max(axis=0) * SIDE).astype(int)
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) / SIDE
        try:
            shares = np.linalg.solve(np.stack([uv[1] - uv[0], uv[2] - uv[0]], axis=1), (centres - uv[0]).T).T
        except np.linalg.LinAlgError:
            continue
        inside = (shares > 1e-6).all(axis=1) & (shares.sum(axis=1) < 1 - 1e-6)
        places = vertices[face[0]] + shares @ (vertices[face[1:]] - vertices[face[0]])
        found.append(np.column_stack([SIDE - 1 - y.ravel(), x.ravel(), places])[inside])
    table = np.concatenate(found)
    return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:]


def test_texels_show_what_is_at_their_place_of_the_surface(textured: Textured, texels: Texels) -> None:
    """Through a lens with distortion, and with one image darker than the others."""
    folder, *_ = textured
    with Image.open(folder / "texture.png") as image, Image.open(folder / "texture_mask.png") as mask:
        colours, shown = np.asarray(image, float), np.asarray(mask)
    rows, columns, places = texels
    baked = shown[rows, columns] == 255
    assert baked.sum() > 1500
    gain = np.exp(np.log([1, 1, DARKER]).mean())  # the views are brought to their mean exposure
    true = from_linear(gain * to_linear(paint(places[baked])))
    apart = np.abs(colours[rows, columns][baked] - true)
    assert np.median(apart) < 3 and np.percentile(apart, 95) < 12


def test_hair_is_neither_baked_nor_seen_through(textured: Textured, texels: Texels) -> None:
    folder, done, capture, _ = textured
    with Image.open(folder / "texture.png") as image, Image.open(folder / "texture_mask.png") as mask:
        colours, shown = np.asarray(image, float), np.asarray(mask)
    green = colours[..., 1] - colours[..., [0, 2]].max(axis=2)
    with Image.open(capture.image_paths[1]) as image:
        pixels = np.asarray(image, float)
    assert (pixels[..., 1] - pixels[..., [0, 2]].max(axis=2)).max() > 150
    assert green.max() < 110  # the paint itself comes to 100
    rows, columns, places = texels
    hairy = done.skin_weights.weights == 0
    near = np.linalg.norm(places - done.registration.vertices[hairy].mean(axis=0), axis=1) < 0.012
    assert near.sum() > 20 and (shown[rows[near], columns[near]] == 0).all()


def test_the_account_tells_exposures_and_what_is_shown(
    textured: Textured,
) -> None:
    *_, account = textured
    assert account["side"] == SIDE and account["files"] == ["texture.png"]
    assert 0.5 < account["face_shown"] < 0.95
    gains = np.array(list(account["gains"].values()))
    np.testing.assert_allclose(gains[2] / gains[1], 1 / DARKER, rtol=0.05)
    np.testing.assert_allclose(gains[0] / gains[1], 1, rtol=0.05)


def test_tiles_have_an_image_and_a_material_each(textured: Textured, template: Template, tmp_path: Path) -> None:
    _, done, capture, _ = textured
    apart = Template(load_head_model(), levels=0)
    right = done.registration.vertices[apart.polygons[:, 0], 0] < 0
    moved = apart.corner_uvs + np.where(right, 1.0, 0.0)[:, None, None] * [1.0, 0.0]
    apart.__dict__["corner_uvs"] = moved
    account = write_texture(tmp_path, replace(done, template=apart), capture, TextureOptions(128))
    assert account["files"] == ["texture.1001.png", "texture.1002.png"]
    whole = {}
    for number in (1001, 1002):
        with Image.open(tmp_path / f"texture_mask.{number}.png") as mask:
            whole[number] = (np.asarray(mask) == 255).mean()
    assert min(whole.values()) > 0.005
    text = (tmp_path / "registered.obj").read_text()
    first, second = text.split("usemtl texture_1001\n")[1].split("usemtl texture_1002\n")
    assert (first.count("f "), second.count("f ")) == ((~right).sum(), right.sum())
    materials = (tmp_path / "registered.mtl").read_text()
    assert "newmtl texture_1002" in materials and "map_Kd texture.1002.png" in materials


def test_every_texel_of_a_quad_has_an_owner_and_padding_goes_on_around_it() -> None:
    square = np.array([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75]], [[0.25, 0.25], [0.75, 0.75], [0.25, 0.75]]])
    found = rasterise(square, np.arange(2), 32)
    assert len(found.place) == 16 * 16
    x, y = (found.place % 32 + 0.5) / 32, 1 - (found.place // 32 + 0.5) / 32
    corners, shares = square[found.face], found.shares[..., None]
    uv = corners[:, 0] + (shares * (corners[:, 1:] - corners[:, :1])).sum(axis=1)
    np.testing.assert_allclose(uv, np.stack([x, y], axis=1), atol=1e-6)
    image = np.zeros((32, 32, 1), np.uint8)
    known = np.zeros((32, 32), bool)
    known[8:24, 8:24] = True
    image[known] = 200
    pad(image, known, 3)
    assert (image[5:27, 5:27] == 200).all() and image.sum() == 200 * 22 * 22
    assert list(tiles_of(square + np.array([3, 2]))) == [1024]
    (last,) = tiles_of(square + np.array([9, 9]))
    assert f"texture.{last}.png" in TEXTURE and last == 1100
    assert list(tiles_of(square + np.array([0, 10]))) == [1001]  # no tile: taken to repeat


LOOK = """
import sys
import bpy

folder, side = sys.argv[1], int(sys.argv[2])
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.obj_import(filepath=folder + "/registered.obj", forward_axis="Y", up_axis="Z")
(head,) = bpy.context.selected_objects
(material,) = head.data.materials
nodes, links = material.node_tree.nodes, material.node_tree.links
(texture,) = [node for node in nodes if node.type == "TEX_IMAGE"]
(output,) = [node for node in nodes if node.type == "OUTPUT_MATERIAL"]
light = nodes.new("ShaderNodeEmission")
links.new(texture.outputs["Color"], light.inputs["Color"])
links.new(light.outputs["Emission"], output.inputs["Surface"])
camera = bpy.data.cameras.new("front")
camera.lens, camera.sensor_width = 3.5 * 36, 36
place = bpy.data.objects.new("front", camera)
place.location, place.rotation_euler = (0, -1, 0), (1.5707963, 0, 0)
scene = bpy.context.scene
scene.collection.objects.link(place)
scene.camera, scene.render.engine, scene.cycles.samples = place, "CYCLES", 4
scene.render.resolution_x = scene.render.resolution_y = side
scene.view_settings.view_transform = "Standard"
scene.render.filepath = folder + "/render.png"
bpy.ops.render.render(write_still=True)
print()
print(bpy.path.abspath(texture.image.filepath), *texture.image.size)
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_blender_opens_it_and_renders_what_the_image_showed(
    textured: Textured,
) -> None:
    folder, _, capture, account = textured
    side = capture.cameras[1].width
    asked = [sys.executable, "-c", LOOK, str(folder), str(side)]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path, *size = done.stdout.splitlines()[-1].rsplit(" ", 2)
    assert Path(path).samefile(folder / "texture.png") and size == [str(SIDE), str(SIDE)]
    with Image.open(folder / "render.png") as image, Image.open(capture.image_paths[1]) as taken:
        rendered, shown = (np.asarray(each.convert("RGB"), float) for each in (image, taken))
    gain = account["gains"][capture.cameras[1].name]
    expected = from_linear(to_linear(shown) * gain)
    middle = slice(side // 2 - 25, side // 2 + 25)  # forehead, brows and nose
    apart = np.abs(rendered - expected)[middle, middle]
    assert np.median(apart) < 4 and np.abs(np.roll(expected, 12, axis=1) - expected)[middle, middle].mean() > 8


def test_a_template_without_texture_coordinates_is_refused_in_one_line(tmp_path: Path) -> None:
    bare = _Bare(load_head_model())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("registration.files.texture.load_head_model", lambda _: bare)
        (tmp_path / "capture").mkdir()
        with pytest.raises(InputError, match="has no texture coordinates"):
            check_texture(tmp_path / "capture", "bare", TextureOptions(64))


class _Bare:
    """A head model whose texture coordinates are all in one point, as those of files without any."""

    def __init__(self, model: object) -> None:
        self.model = model

    def __getattr__(self, name: str) -> object:
        value = getattr(self.model, name)
        return np.zeros_like(value) if name == "uvs" else value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--texture", "8"), "--texture 8: the side of the image, 64 to 16384 pixels"),
        (("--images", "somewhere"), "--images: for a texture; give its side, --texture 4096, too"),
        (("--texture", "64"), "takes the images of a capture, and scan.ply is none; name it with --images"),
        (("--texture", "64", "--images", "nowhere"), "takes the images of a capture, and nowhere is none"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan.ply").touch()
    code, said = p2p_here("register", "scan.ply", "--labels", "none", *words)
    assert code == 2 and message in said.splitlines()[-1] and "Traceback" not in said, said
