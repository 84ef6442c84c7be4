#!/usr/bin/env bash
# COLMAP's SIMPLE_FISHEYE camera: beyond 90 degrees from the axis the angle of a pixel's ray is taken for its tangent.
#
# Version: pycolmap 4.2.1, numpy 1.26.4, Python 3.11.
# Behaviour: in the equidistant model a pixel r pixels from the centre lies r / f radians from the axis: 1.2 radians
# (69 degrees) as well as 2.67 (153 degrees), as lenses of more than 180 degrees have. `cam_ray_from_img` gives unit rays,
# which could point backwards, and is right up to 90 degrees. From there on r / f becomes the tangent of the ray's angle,
# as in a pinhole: what lies behind the camera comes out in front of it.
# Seen: pixel at 1.2 rad -> ray at 1.200 rad; pixel at 2.667 rad (800 pixels at f = 300) -> ray at atan(2.667) = 1.212 rad.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycolmap==4.2.1 numpy==1.26.4
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pycolmap

focal, centre = 300.0, (1200.0, 240.0)
camera = pycolmap.Camera(model="SIMPLE_FISHEYE", width=2400, height=480, params=[focal, *centre])


def angle(pixels_from_centre: float) -> float:
    ray = np.asarray(camera.cam_ray_from_img(np.array([centre[0] + pixels_from_centre, centre[1]]))).ravel()
    print(f"{pixels_from_centre:6.1f} px: ray {ray.round(4)}")
    return float(np.arctan2(np.hypot(ray[0], ray[1]), ray[2]))


assert abs(angle(1.2 * focal) - 1.2) < 1e-6
wide = angle(800.0)
print(f"800 px at f = 300 lie {800 / focal:.3f} rad from the axis; the ray {wide:.3f} rad")
assert abs(np.tan(wide) - 800 / focal) < 1e-6, "the angle is no longer taken for the tangent"
PY
