"""Units of scans and cameras."""

from dataclasses import replace

import pytest

from capture import InputError, Scan
from scans.units import find_units, parse_unit
from tests.training.toy import toy_camera, toy_mesh


def test_units_are_stated_or_guessed() -> None:
    vertices, faces, _ = toy_mesh(0)
    cameras = [toy_camera(i, 3) for i in range(3)]
    for name, factor in (("m", 1.0), ("cm", 100.0), ("mm", 1000.0)):
        scan = Scan(vertices * factor, faces)
        for other in (1.0, factor):
            moved = [replace(camera, translation=camera.translation * other) for camera in cameras]
            units = find_units(scan, moved)
            assert (units.scan, units.cameras) == pytest.approx((1 / factor, 1 / other)), name
            assert "guessed" in units.text
    odd = Scan(vertices * 30.0, faces)
    moved = [replace(camera, translation=camera.translation * 30.0) for camera in cameras]
    with pytest.raises(InputError, match="state its unit with `unit`"):
        find_units(odd, moved)
    units = find_units(odd, moved, str(1 / 30.0))
    assert units.scan == units.cameras == pytest.approx(1 / 30.0) and "stated" in units.text
    far = [replace(camera, translation=camera.translation * 100.0) for camera in cameras]  # the scan is a dot in images
    with pytest.raises(InputError, match="0% of it lies in the images"):
        find_units(Scan(vertices, faces), far, "m", "m")
    for wrong in ("inch", "-1", "nan"):
        with pytest.raises(InputError, match="unit"):
            parse_unit(wrong)
