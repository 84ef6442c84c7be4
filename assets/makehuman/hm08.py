"""Annotations of the hm08 base mesh: landmarks and edge loops, as vertex numbers of MakeHuman's base.obj.

An edge loop of a quad mesh is fixed by one of its edges (start, next): walking straight on at every vertex with
four neighbours comes back to the start. All that lies on one side of a closed loop is a region.
Left is the subject's; the right side comes from the mirror table.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import FloatArray, IntArray

LASH_LOOP = (6787, 6786)
"""Outer edge of the left eye's lid margins, where the lashes grow; runs over the upper lid outwards."""
LID_INNER_LOOP = (6785, 6784)
"""Inner edge of the left eye's lid margins: behind it lies the socket."""
LIP_BORDER_LOOP = (463, 466)
"""Border of the red of the lips."""
LIP_SEAM_LOOP = (517, 523)
"""Ends of the lips inside the mouth, and the line where they touch when closed."""
LIP_SEAM_CORNER, LIP_SEAM_UPPER = 7195, 520
NOSTRIL_LOOP = (7043, 7124)
"""Rim of the left nostril."""
EAR_LOOP = (12012, 12014)
"""Around the free part of the left ear."""

TORSO_LOOP, ARM_LOOP = (1600, 1594), (8103, 8144)
"""Cuts of the bust: around the chest below the armpits and around the left upper arm."""

SOCKET_SEED, MOUTH_SEED, NOSTRIL_SEED, EAR_SEED = 7761, 537, 7109, 12056
"""One vertex inside each of the closed loops (left side)."""
HEAD_SEED = 881

EYE_INNER, EYE_OUTER = 6851, 6806
EAR_TOP, EAR_LOBE = 12012, 12027

# iBUG 68 for the left half and the midline; left points are numbered from the midline outwards.
MIDLINE_LANDMARKS: dict[str, int] = {
    "nasion": 132,
    "nose_tip": 297,
    "chin": 732,
    "upper_lip": 467,
    "lower_lip": 495,
    "vertex": 881,
    "nose_bridge_0": 132,
    "nose_bridge_1": 131,
    "nose_bridge_2": 201,
    "nose_bridge_3": 297,
    "nose_base_2": 317,
    "mouth_outer_3": 466,
    "mouth_outer_9": 496,
    "mouth_inner_2": 474,
    "mouth_inner_6": 493,
    "jaw_8": 732,
}

# left name -> (vertex, iBUG name of the left point, iBUG name of its mirror image)
SIDE_LANDMARKS: dict[str, tuple[int, str, str]] = {
    "eye_inner": (6851, "left_eye_0", "right_eye_3"),
    "eye_upper_inner": (6842, "left_eye_1", "right_eye_2"),
    "eye_upper_outer": (6791, "left_eye_2", "right_eye_1"),
    "eye_outer": (6806, "left_eye_3", "right_eye_0"),
    "eye_lower_outer": (6824, "left_eye_4", "right_eye_5"),
    "eye_lower_inner": (6833, "left_eye_5", "right_eye_4"),
    "mouth_corner": (7185, "mouth_outer_6", "mouth_outer_0"),
    "lip_peak": (7219, "mouth_outer_4", "mouth_outer_2"),
    "lip_upper_outer": (7207, "mouth_outer_5", "mouth_outer_1"),
    "lip_lower_outer": (7233, "mouth_outer_7", "mouth_outer_11"),
    "lip_lower_inner": (7245, "mouth_outer_8", "mouth_outer_10"),
    "mouth_inner_corner": (7191, "mouth_inner_4", "mouth_inner_0"),
    "mouth_inner_upper": (7227, "mouth_inner_3", "mouth_inner_1"),
    "mouth_inner_lower": (7236, "mouth_inner_5", "mouth_inner_7"),
    "nostril_wing": (7099, "nose_base_4", "nose_base_0"),
    "nostril_base": (7077, "nose_base_3", "nose_base_1"),
}

# Points (x, y, z) in metres on the mean head; the landmark is the nearest vertex. (point, left name, right name)
NEAREST_LANDMARKS: tuple[tuple[tuple[float, float, float], str, str], ...] = (
    ((0.012, -0.014, -0.105), "jaw_9", "jaw_7"),
    ((0.024, -0.007, -0.101), "jaw_10", "jaw_6"),
    ((0.035, 0.002, -0.094), "jaw_11", "jaw_5"),
    ((0.045, 0.015, -0.085), "jaw_12", "jaw_4"),
    ((0.053, 0.030, -0.070), "jaw_13", "jaw_3"),
    ((0.060, 0.042, -0.048), "jaw_14", "jaw_2"),
    ((0.066, 0.048, -0.025), "jaw_15", "jaw_1"),
    ((0.070, 0.050, 0.000), "jaw_16", "jaw_0"),
    ((0.012, -0.024, 0.016), "left_brow_0", "right_brow_4"),
    ((0.022, -0.022, 0.020), "left_brow_1", "right_brow_3"),
    ((0.032, -0.017, 0.022), "left_brow_2", "right_brow_2"),
    ((0.042, -0.009, 0.020), "left_brow_3", "right_brow_1"),
    ((0.050, 0.001, 0.014), "left_brow_4", "right_brow_0"),
    ((0.069, 0.067, -0.020), "left_tragus", "right_tragus"),
)


class QuadGraph:
    """Neighbours of the vertices of a quad mesh, to walk along edge loops and to fill what they bound."""

    def __init__(self, polygons: IntArray) -> None:
        self._neighbours: dict[int, set[int]] = defaultdict(set)
        self._beside: dict[tuple[int, int], set[int]] = defaultdict(set)
        for row in polygons.tolist():
            for i in range(4):
                a, b = row[i], row[(i + 1) % 4]
                self._neighbours[a].add(b)
                self._neighbours[b].add(a)
                self._beside[min(a, b), max(a, b)].update(row)

    def loop(self, start: int, second: int) -> list[int]:
        """The closed edge loop through the edge start-second, from start on. Raises ValueError where it ends."""
        path = [start, second]
        while len(path) <= len(self._neighbours):
            previous, here = path[-2:]
            beside = self._beside[min(previous, here), max(previous, here)]
            straight = self._neighbours[here] - beside
            if len(self._neighbours[here]) != 4 or len(straight) != 1:
                raise ValueError(f"edge loop {start}-{second} ends at vertex {here}")
            (following,) = straight
            if following == start:
                return path
            path.append(following)
        raise ValueError(f"edge loop {start}-{second} does not close")

    def inside(self, border: list[int], seed: int) -> set[int]:
        """The vertices reached from `seed` without crossing `border`; the border itself is not among them."""
        reached, open_ = {seed}, [seed]
        walls = set(border)
        while open_:
            for vertex in self._neighbours[open_.pop()]:
                if vertex not in reached and vertex not in walls:
                    reached.add(vertex)
                    open_.append(vertex)
        return reached

    def grow(self, region: set[int], rings: int) -> set[int]:
        """The region and the vertices within `rings` edges of it."""
        for _ in range(rings):
            region = region.union(*(self._neighbours[vertex] for vertex in region))
        return region

    def distances(self, starts: list[int], limit: int) -> dict[int, int]:
        """vertex -> number of edges to the nearest of `starts`, up to `limit`."""
        rings = dict.fromkeys(starts, 0)
        front = set(starts)
        for ring in range(1, limit + 1):
            front = {other for vertex in front for other in self._neighbours[vertex]} - rings.keys()
            rings.update(dict.fromkeys(front, ring))
        return rings


def bust(graph: QuadGraph, mirror: IntArray) -> set[int]:
    """The vertices of head, neck, shoulders and upper chest, the border of the cut among them."""
    arm = graph.loop(*ARM_LOOP)
    border = graph.loop(*TORSO_LOOP) + arm + [int(mirror[vertex]) for vertex in arm]
    return graph.inside(border, HEAD_SEED) | set(border)


def lip_seams(graph: QuadGraph, mirror: IntArray) -> tuple[list[int], list[int]]:
    """The upper and the lower vertices along which closed lips touch, without the corners of the mouth."""
    loop = graph.loop(*LIP_SEAM_LOOP)
    other = int(mirror[LIP_SEAM_CORNER])
    ends = sorted((loop.index(LIP_SEAM_CORNER), loop.index(other)))
    between, around = loop[ends[0] + 1 : ends[1]], loop[ends[1] + 1 :] + loop[: ends[0]]
    upper, lower = (between, around) if LIP_SEAM_UPPER in between else (around, between)
    return upper, lower


def as_mask(indices: set[int] | list[int], count: int) -> NDArray[np.bool_]:
    """(count,) bool with the given vertices set."""
    mask = np.zeros(count, dtype=bool)
    mask[list(indices)] = True
    return mask


def landmarks(mean: FloatArray, mirror: IntArray, skin_ids: IntArray) -> dict[str, int]:
    """name -> base-mesh vertex, sorted by name. mean (V, 3): the mean head; skin_ids: the skin that is kept."""
    landmarks = dict(MIDLINE_LANDMARKS)
    for name, (vertex, left, right) in SIDE_LANDMARKS.items():
        other = int(mirror[vertex])
        landmarks |= {f"left_{name}": vertex, f"right_{name}": other, left: vertex, right: other}
    for point, left, right in NEAREST_LANDMARKS:
        nearest = int(skin_ids[np.linalg.norm(mean[skin_ids] - point, axis=1).argmin()])
        landmarks |= {left: nearest, right: int(mirror[nearest])}
    for name, vertex in {"ear_top": EAR_TOP, "ear_lobe": EAR_LOBE}.items():
        landmarks |= {f"left_{name}": vertex, f"right_{name}": int(mirror[vertex])}
    return dict(sorted(landmarks.items()))


def lash_chains(body: IntArray, mirror: IntArray) -> dict[str, list[int]]:
    """The lash lines, each from the inner to the outer corner of the eye: base-mesh vertices."""
    loop = QuadGraph(body).loop(*LASH_LOOP)
    inner, outer = loop.index(EYE_INNER), loop.index(EYE_OUTER)
    turned = loop[inner:] + loop[:inner]
    split = (outer - inner) % len(loop)
    upper, lower = turned[: split + 1], [turned[0], *turned[: split - 1 : -1]]
    chains = {"lash_upper_left": upper, "lash_lower_left": lower}
    chains |= {name.replace("left", "right"): [int(mirror[v]) for v in chain] for name, chain in chains.items()}
    return chains
