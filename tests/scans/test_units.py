"""Units of scans and cameras."""

from dataclasses import replace

import pytest

from capture import InputError, Scan
from scans.unit_guess import guess_unit, parse_unit
from scans.units import find_units
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
    odd = Scan(vertices * 3e4, faces)
    moved = [replace(camera, translation=camera.translation * 3e4) for camera in cameras]
    with pytest.raises(InputError, match="state its unit with `unit`"):
        find_units(odd, moved)
    units = find_units(odd, moved, str(1 / 3e4))
    assert units.scan == units.cameras == pytest.approx(1 / 3e4) and "stated" in units.text
    far = [replace(camera, translation=camera.translation * 100.0) for camera in cameras]  # the scan is a dot in images
    with pytest.raises(InputError, match="0% of it lies in the images"):
        find_units(Scan(vertices, faces), far, "m", "m")
    for wrong in ("yard", "-1", "nan"):
        with pytest.raises(InputError, match="unit"):
            parse_unit(wrong)


# Widths of scans in metres: of a head without and with hair and neck, of a head and shoulders.
HEADS = (0.2, 0.25, 0.3, 0.36)


@pytest.mark.parametrize(("name", "metres"), [("inch", 0.0254), ("dm", 0.1), ("ft", 0.3048)])
def test_other_units_are_taken_where_the_usual_ones_make_no_head(name: str, metres: float, caplog) -> None:
    for width in HEADS[:3] if name != "ft" else ():
        caplog.clear()
        assert guess_unit(width / metres, "scan") == metres
        assert caplog.text.count("state its `unit`") == 1 and f"({width:.3g} m)" in caplog.text
    caplog.clear()
    assert guess_unit(0.25 / 0.3048, "scan") == 1.0  # as wide in metres as an upper body: feet are rarer
    assert "not feet (0.25 m)" in caplog.text
    assert parse_unit(name) == metres


def test_a_usual_unit_that_fits_is_taken_without_a_warning(caplog) -> None:
    for metres in (1.0, 0.01, 0.001):
        for width in (*HEADS, 0.5):
            assert guess_unit(width / metres, "scan") == metres
    assert not caplog.text
    assert guess_unit(15.5, "scan") == 0.01  # a face of 155 mm, or a head and shoulders of 394 mm
    assert "centimetres (0.155 m), not inches (0.394 m)" in caplog.text
