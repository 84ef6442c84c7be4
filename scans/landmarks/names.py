"""Names of MediaPipe's 478 face landmarks, as head models call the same places."""

from __future__ import annotations

COUNT = 478
MESH_COUNT = 468  # the others are the irises: a centre and four points around it, right and left
RIGHT_PUPIL, LEFT_PUPIL = 468, 473
IRISES = range(MESH_COUNT, COUNT)
OUTER_EYE_CORNERS = 33, 263  # right, left

_SINGLE = {
    "chin": 152, "nose_tip": 1, "nasion": 168, "upper_lip": 0, "lower_lip": 17,
    "right_eye_inner": 133, "right_eye_outer": 33, "left_eye_inner": 362, "left_eye_outer": 263,
    "right_mouth_corner": 61, "left_mouth_corner": 291, "right_nostril_wing": 64, "left_nostril_wing": 294,
    "right_pupil": RIGHT_PUPIL, "left_pupil": LEFT_PUPIL,
}  # fmt: skip
# iBUG's curves, in their order: left and right are the subject's. Its jaw is left out: it is the outline of a face in a
# photograph, and no place on the head.
_CURVES = {
    "right_brow": (70, 63, 105, 66, 107), "left_brow": (336, 296, 334, 293, 300),
    "nose_bridge": (168, 197, 5, 4), "nose_base": (98, 97, 2, 326, 327),
    "right_eye": (33, 160, 158, 133, 153, 144), "left_eye": (362, 385, 387, 263, 373, 380),
    "mouth_outer": (61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),
    "mouth_inner": (78, 81, 13, 311, 308, 402, 14, 178),
}  # fmt: skip

INDEX: dict[str, int] = {
    **_SINGLE,
    **{f"{name}_{i}": number for name, curve in _CURVES.items() for i, number in enumerate(curve)},
}
"""Name -> index of the landmark; a place may have several names. Those of head models, and the pupils."""


STEADY = (
    "left_eye_inner", "left_eye_outer", "right_eye_inner", "right_eye_outer", "left_mouth_corner",
    "right_mouth_corner", "nose_tip", "nasion", "left_nostril_wing", "right_nostril_wing", "upper_lip",
)  # fmt: skip
"""Places that the detector and head models mean the same by, within some millimetres."""


def names_of(index: int) -> list[str]:
    """The names of a landmark, none for most."""
    return [name for name, number in INDEX.items() if number == index]
