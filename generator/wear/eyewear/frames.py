"""Spectacles as meshes: rims, bridge, temples, pads and lenses."""

from __future__ import annotations

import numpy as np

from capture import PixelClass
from capture.geometry import Floats, MeshArrays, unit
from generator.components.eyewear import EyewearSpec
from generator.components.frame_styles import FRAME_STYLES
from generator.geometry.distance import DistanceField
from generator.geometry.head_frame import HeadFrame, has_landmarks
from generator.geometry.solids import arc_path, blob, circle, merged, rounded_box, sweep
from generator.head import HeadGeometry
from generator.wear.eyewear.fit import CLEARANCE, FROM_EYE, FaceFrame, face_frame, shift_to_clear, temple_path
from generator.wear.eyewear.lens_mesh import THICKNESS, curved, lens_mesh, widened
from generator.wear.eyewear.lens_outlines import outline
from generator.wear.worn_mesh import WornMesh

NEEDED = (
    "left_eye_inner",
    "right_eye_inner",
    "left_eye_outer",
    "right_eye_outer",
    "nasion",
    "left_ear_top",
    "right_ear_top",
)
BACK = np.array([0.0, 1.0, 0.0])


def make_eyewear(
    spec: EyewearSpec, head: HeadGeometry, skull: HeadFrame | None, field: DistanceField
) -> list[WornMesh]:
    """The frame, the pads and the lenses of a spec; none where nothing is worn or the head model lacks landmarks."""
    if spec.kind == "none" or skull is None or not has_landmarks(head, NEEDED, "spectacles"):
        return []
    face = face_frame(spec, head, skull)
    edge = outline(spec)
    middle = (spec.lens_mm + spec.bridge_mm) / 2000
    front = [_rims(spec, edge), _corner(spec, edge)]
    halves = [_placed(mesh, middle, side) for mesh in front for side in (1, -1)]
    lenses = [_placed(lens_mesh(spec, edge), middle, side) for side in (1, -1)]
    whole = merged(*halves, _bridge(spec, edge, middle))
    face = face.moved(_set_back(whole[0], lenses[0][0], face))
    temples = [_temple(spec, edge, middle, side, face, head) for side in (1, -1)]
    frame = merged(whole, *temples)
    pads = [pad for side in (1, -1) for pad in _pad(spec, edge, middle, side, face, field)]
    meshes = [_worn_mesh("spectacles", frame, face, "spectacles"), _worn_mesh("lenses", merged(*lenses), face, "lens")]
    if pads:
        meshes.append(_worn_mesh("nose pads", merged(*pads), face, "spectacles", touches=True))
    return meshes


def _worn_mesh(name: str, mesh: MeshArrays, face: FaceFrame, material: str, touches: bool = False) -> WornMesh:
    vertices, triangles = mesh
    return WornMesh(
        name, face.frame.world(vertices), triangles, PixelClass.EYEWEAR, material, {"base": vertices}, touches
    )


def _placed(mesh: MeshArrays, middle: float, side: int) -> MeshArrays:
    """A part in lens coordinates, moved to the subject's left (1) or, mirrored, to the right (-1)."""
    vertices, faces = mesh
    moved = (vertices + np.array([middle, 0.0, 0.0])) * np.array([side, 1.0, 1.0])
    return moved, faces if side > 0 else faces[:, ::-1]


def _wire_rims(spec: EyewearSpec) -> bool:
    return spec.finish == "metal" or FRAME_STYLES[spec.kind].wire_rims


def _depth(spec: EyewearSpec) -> float:
    """Of the rims, front to back, metres."""
    return spec.rim_mm / 1000 if _wire_rims(spec) else 0.0042


def _set_back(frame: Floats, lens: Floats, face: FaceFrame) -> float:
    """Metres that the front may move back: until the skin is near, or the eyes."""
    room = shift_to_clear(np.concatenate([frame[::2], lens[::3], lens[::3] * [-1, 1, 1]]), face.skin, CLEARANCE)
    if len(face.eyes):
        room = min(room, float(face.eyes[:, 1].min()) - FROM_EYE - THICKNESS)
    return room


def _rims(spec: EyewearSpec, edge: Floats) -> MeshArrays:
    """The rim of one lens, with the heavy bar on its upper half where the style has one."""
    width, depth = spec.rim_mm / 1000, _depth(spec)
    path = curved(spec, widened(edge, width / 2 - 0.0004)) + BACK * THICKNESS / 2
    profile = circle(width / 2) if _wire_rims(spec) else rounded_box(width, depth, 4.0)
    rim = sweep(path, profile, BACK, closed=True)
    if not FRAME_STYLES[spec.kind].brow_bar:
        return rim
    count = len(edge)
    upper = np.arange(-count // 16, count // 2 + count // 16 + 1) % count
    share = np.linspace(0, 1, len(upper))
    height = 0.0030 + 0.0048 * (1 - share) ** 0.7 * np.clip(share / 0.06, 0.3, 1) + 0.0012 * np.sin(np.pi * share)
    centre = widened(edge, 0.0)[upper] + (widened(edge, 1.0) - edge)[upper] * (height / 2 - 0.0006)[:, None]
    bars = np.stack([rounded_box(h, 0.0045, 3.5) for h in height])
    return merged(rim, sweep(curved(spec, centre) + BACK * THICKNESS / 2, bars, BACK))


def _hinge(spec: EyewearSpec, edge: Floats) -> Floats:
    """(3,) where the corner piece leaves the rim, lens coordinates: on the outer side, above the middle."""
    high = FRAME_STYLES[spec.kind].hinge_height
    outer = np.where(edge[:, 0] > 0, np.abs(edge[:, 1] - high * edge[:, 1].max()), 1.0)
    return curved(spec, widened(edge, spec.rim_mm / 2000)[[int(outer.argmin())]])[0] + BACK * THICKNESS / 2


def _corner(spec: EyewearSpec, edge: Floats) -> MeshArrays:
    """The piece between rim and temple, which turns back."""
    hinge = _hinge(spec, edge)
    turn = np.array([[-0.001, 0, 0], [0.0022, 0.0002, 0.0], [0.0046, 0.0022, 0], [0.0054, 0.0062, 0.0]])
    path = arc_path(hinge + turn, 10)
    width, height = (0.0018, 0.0026) if spec.finish == "metal" else (0.0034, 0.0062)
    return sweep(path, rounded_box(width, height, 3.0, 14), np.array([0.0, 0.0, 1.0]))


def _temple(
    spec: EyewearSpec, edge: Floats, middle: float, side: int, face: FaceFrame, head: HeadGeometry
) -> MeshArrays:
    """A temple, thick in acetate, a wire with a covered tip in metal."""
    mirror = np.array([side, 1.0, 1.0])
    hinge = _hinge(spec, edge) + np.array([middle + 0.0053, 0.0050, 0.0])
    ear = face.frame.local(head.landmarks["left_ear_top" if side > 0 else "right_ear_top"]) * mirror
    metal = spec.finish == "metal"
    room = 0.0030 + (0.0016 if metal else 0.0028)
    path = temple_path(hinge, ear, face.skin * mirror, room)
    share = np.linspace(0, 1, len(path))
    covered = np.clip((share - 0.62) / 0.05, 0, 1)
    end = np.clip((1 - share) / 0.02, 0.25, 1)
    if metal:
        wide, high = 0.0011 + 0.0011 * covered, 0.0016 + 0.0018 * covered
    else:
        wide, high = np.full(len(path), 0.0028), 0.0058 - 0.0022 * share
    profile = np.stack([rounded_box(w, h, 3.0, 12) for w, h in zip(wide * end, high * end, strict=True)])
    vertices, faces = sweep(path, profile, np.array([0.0, 0.0, 1.0]))
    return vertices * mirror, faces if side > 0 else faces[:, ::-1]


def _bridge(spec: EyewearSpec, edge: Floats, middle: float) -> MeshArrays:
    """The bar over the nose; a second one on top of it where the style has one."""
    bars = [_bar(spec, edge, middle, 0.30, 0.0022)]
    if FRAME_STYLES[spec.kind].top_bar:
        bars.append(_bar(spec, edge, middle, 0.93, 0.0008))
    return merged(*bars)


def _bar(spec: EyewearSpec, edge: Floats, middle: float, high: float, arch: float) -> MeshArrays:
    inner = np.where(edge[:, 0] < 0, np.abs(edge[:, 1] - high * edge[:, 1].max()), 1.0)
    left = curved(spec, widened(edge, spec.rim_mm / 2000 - 0.0006)[[int(inner.argmin())]])[0] + BACK * THICKNESS / 2
    left = left + np.array([middle, 0.0, 0.0])
    half = left * np.array([0.5, 1.0, 1.0])
    top = np.array([0.0, left[1] - 0.0012, left[2] + arch])
    quarter = half + np.array([0, -0.0008, 0.75 * arch])
    mirror = np.array([-1.0, 1.0, 1.0])
    path = arc_path(np.stack([left, quarter, top, quarter * mirror, left * mirror]), 25)
    profile = (
        circle(FRAME_STYLES[spec.kind].bridge_wire_mm / 1000) if _wire_rims(spec) else rounded_box(0.0042, 0.0052, 3.0)
    )
    return sweep(path, profile, np.array([0.0, 0.0, 1.0]))


def _pad(
    spec: EyewearSpec, edge: Floats, middle: float, side: int, face: FaceFrame, field: DistanceField
) -> list[MeshArrays]:
    """A nose pad with its arm; none where the nose is out of reach."""
    inner = np.where(edge[:, 0] < 0, np.abs(edge[:, 1] + 0.12 * edge[:, 1].max()), 1.0)
    rim = curved(spec, widened(edge, spec.rim_mm / 2000 - 0.0005)[[int(inner.argmin())]])[0]
    rim = (rim + np.array([middle, THICKNESS / 2, 0.0])) * np.array([side, 1.0, 1.0])
    towards = unit(np.array([-0.62 * side, 0.78, -0.1]))
    at = face.frame.world(rim + np.array([0.0, 0.001, -0.001]))
    step = towards @ face.frame.axes
    for _ in range(40):
        gap = float(field.distance(at[None])[0])
        if gap < 0.0007:
            break
        at = at + step * max(0.6 * gap, 0.0003)
        if np.linalg.norm(face.frame.local(at) - rim) > 0.022:
            return []
    normal = face.frame.axes @ field.gradient(at[None])[0]
    contact = face.frame.local(at)
    if contact[0] * side < 0.002:
        return []
    long = unit(np.array([0.15 * side, -0.25, 1.0]) - normal * (np.array([0.15 * side, -0.25, 1.0]) @ normal))
    across = np.cross(long, normal)
    centre = contact + 0.0008 * normal
    pad = blob(centre, np.stack([0.0028 * across, 0.0052 * long, 0.0011 * np.cross(across, long)]))
    behind = rim + np.array([-0.0006 * side, 0.0030, -0.0012])
    knots = np.stack([rim, behind, (behind + centre) / 2 + 0.0012 * normal, centre + 0.0006 * normal])
    arm = sweep(arc_path(knots, 14), circle(0.0005 if _wire_rims(spec) else 0.0014), np.array([0.0, 0.0, 1.0]))
    return [pad, arm]
