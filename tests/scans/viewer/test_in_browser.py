"""A view in a real browser: what is on the canvas when a person clicks, drags and presses keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from capture import Labels
from capture.geometry import rotation_matrix
from scans.viewer.page import write_view
from scans.viewer.view import ViewedScan
from tests.devtools import NO_GL, SOFTWARE_GL, Page, browsing
from tests.factory.report.browser import find_browser
from tests.scans.viewer.made import head_scan, template, view

READY = "document.documentElement.dataset.ready"
SIZE = (900, 600)
Picture = NDArray[np.int64]


@pytest.fixture(scope="module")
def browser() -> str:
    path = find_browser()
    if path is None:
        pytest.skip("no browser of the Chromium family on this machine")
    return path


@pytest.fixture(scope="module")
def page(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(browser, tmp_path_factory.mktemp("profile"), *SOFTWARE_GL) as page:
        yield page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("views")
    write_view(folder / "head.html", view())
    write_view(folder / "turned.html", view(rotation_matrix((np.pi / 2, 0.0, 0.0))))
    scan, prediction = head_scan()
    nan, known = np.full(len(prediction.skin), np.nan), scan.vertices[:, 0] < 0
    painted = ViewedScan.of_labels(scan, Labels(nan, prediction.skin, known=known))
    write_view(folder / "painted.html", replace(view(), scan=painted))
    write_view(folder / "registered.html", view(template=template()))
    return folder


@pytest.fixture
def head(page: Page, folder: Path) -> Page:
    """The view of the ball, just opened."""
    page.open(folder / "head.html", SIZE, READY)
    return page


def seen(page: Page) -> Picture:
    """(H, W, 3) of the canvas beside panel and legend, and without the frame of what has the keyboard."""
    page.evaluate("for (const name of ['panel', 'legend']) document.getElementById(name).style.opacity = 0")
    page.evaluate("document.getElementById('canvas').style.outline = 'none'")
    return page.screenshot().astype(int)


def skin(picture: Picture) -> NDArray[np.bool_]:
    """(H, W) true for the colour of skin in labels, in any light."""
    red, _, blue = np.moveaxis(picture, -1, 0)
    return np.asarray(red > blue + 40)


def other(picture: Picture) -> NDArray[np.bool_]:
    red, _, blue = np.moveaxis(picture, -1, 0)
    return np.asarray(blue > red + 20)


def rows_of(mask: NDArray[np.bool_]) -> tuple[int, int]:
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[0]), int(rows[-1])


def test_the_first_picture_is_the_labelled_face_upright_without_any_network(head: Page) -> None:
    picture = seen(head)
    assert head.errors == [] and {name.partition(":")[0] for name in head.requests} <= {"file", "data", "blob"}
    assert sum(name.startswith("file") for name in head.requests) == 1
    ball = skin(picture) | other(picture)
    top, bottom = rows_of(ball)
    assert 0.5 * SIZE[1] < bottom - top < SIZE[1] and top > 0
    assert abs((top + bottom) / 2 - SIZE[1] / 2) < 0.05 * SIZE[1]
    middle = picture[:, SIZE[0] // 2]
    assert skin(middle[None])[0, SIZE[1] // 2 + 30 : bottom - 5].all()  # the chin is below
    assert other(middle[None])[0, top + 5 : SIZE[1] // 2 - 40].all()
    assert 0.4 < skin(picture).sum() / ball.sum() < 0.6
    assert head.evaluate("document.getElementById('message').textContent") == ""
    assert "of the vertices" in head.evaluate("document.getElementById('legend').innerText")


def test_another_frame_gives_the_same_picture(head: Page, folder: Path) -> None:
    here = seen(head)
    head.open(folder / "turned.html", SIZE, READY)
    assert np.abs(seen(head) - here).max(axis=-1).mean() < 1


def test_the_threshold_moves_the_border_of_the_skin(head: Page) -> None:
    areas, shares = [], []
    for threshold in (0.0, 0.25, 0.5, 0.75, 0.95):
        head.set_value("threshold", threshold)
        areas.append(int(skin(seen(head)).sum()))
        shares.append(head.evaluate("document.getElementById('legend').innerText.match(/([\\d.]+) %/)[1]"))
    # A ball's area is even along its height, and the picture's is a disc: shares of a disc below a line.
    disc = areas[0]
    for threshold, area in zip((0.25, 0.5, 0.75), areas[1:4], strict=True):
        height = 1 - 2 * threshold
        share = (np.arcsin(height) + height * np.sqrt(1 - height**2)) / np.pi + 0.5
        assert abs(area / disc - share) < 0.06, threshold  # the eye is near, and a little above
    assert areas == sorted(areas, reverse=True) and len(set(areas)) == 5
    assert [float(each) for each in shares] == sorted(map(float, shares), reverse=True)


def test_skin_alone_leaves_the_rest_away(head: Page) -> None:
    before = seen(head)
    head.click("#skin-only")
    after = seen(head)
    assert other(before).sum() > 10_000 and other(after).sum() < 100
    assert skin(after).sum() >= skin(before).sum()


def test_each_colouring_shows_its_colours_and_legend(head: Page) -> None:
    names = head.evaluate("[...document.getElementById('colouring').options].map(each => each.value)")
    assert names == ["labels", "probability", "colour", "distance", "parts", "plain"]
    x, low, high = SIZE[0] // 2, 3 * SIZE[1] // 5, 2 * SIZE[1] // 5
    found = {}
    for number, name in enumerate(names, start=1):
        head.evaluate("document.getElementById('canvas').focus()")
        head.press(str(number))
        picture = seen(head)
        found[name] = picture[high, x], picture[low, x], picture[low, x + 150]
        text = head.evaluate("document.getElementById('legend').innerText")
        assert {"labels": "skin", "probability": "Probability of skin", "colour": "", "plain": "",
                "distance": "20 mm and more", "parts": "scalp hair"}[name] in text  # fmt: skip
    assert np.abs(found["colour"][0] - [230, 210, 30]).max() < 25  # as the file has it, at right angles to the eye
    assert np.abs(found["colour"][1] - [200, 20, 20]).max() < 25
    assert found["distance"][0].min() > 200 and found["distance"][2].max() < 100  # near is bright, far is dark
    assert np.ptp(found["plain"][0]) < 20
    smooth = found["probability"]
    assert smooth[0][0] < smooth[1][0] and smooth[0][2] > smooth[1][2]


def test_the_template_is_switched_on_and_off_and_coloured_by_its_distance(page: Page, folder: Path) -> None:
    page.open(folder / "registered.html", SIZE, READY)
    x, low, high = SIZE[0] // 2, SIZE[1] // 2 + 30, SIZE[1] // 2 - 30

    def places() -> tuple[Picture, Picture]:
        picture = seen(page)
        return picture[high, x], picture[low, x]

    far, near = places()
    assert far[0] > 180 and far[1] > 160 and far[2] < 90  # yellow
    assert near[0] < 100 and near[1] < 60 and near[2] > near[1] + 30  # dark violet
    assert "Distance of the template to the scan" in page.evaluate("document.getElementById('legend').innerText")
    page.click("#template-distance")
    plain = places()
    assert max(np.ptp(each) for each in plain) < 20
    page.set_value("opacity", 0.1)
    assert np.abs(places()[1] - [200, 20, 20]).max() < 60  # the scan's own colour behind it
    page.click("#show-template")
    gone = places()
    assert np.abs(gone[0] - [230, 210, 30]).max() < 30 and np.abs(gone[1] - [200, 20, 20]).max() < 30
    page.click("#show-scan")
    assert np.ptp(seen(page).reshape(-1, 3), axis=0).max() == 0  # nothing is left


def green(picture: Picture) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(picture, -1, 0)
    return np.asarray((green > red + 80) & (green > blue + 80))


def test_cameras_show_their_images_where_they_were_taken(head: Page) -> None:
    assert not green(seen(head)).any()
    head.click("#show-cameras")
    both = seen(head)
    columns = np.flatnonzero(green(both).any(axis=0))
    assert columns[0] < SIZE[0] * 0.4 and columns[-1] > SIZE[0] * 0.6
    assert skin(both).sum() + other(both).sum() > 0  # the head is still there, smaller
    head.click("#show-images")
    assert not green(seen(head)).any()


@pytest.mark.parametrize("number", [1, 2])
def test_through_a_camera_the_scan_covers_the_head_in_its_image(head: Page, number: int) -> None:
    """The second camera is a pinhole, the third one has a strong distortion."""
    head.click("#show-cameras")
    head.set_value("through", number)
    image = seen(head)
    framed = green(image)
    rows, columns = rows_of(framed), rows_of(framed.T)
    inside = np.zeros_like(framed)
    inside[rows[0] + 3 : rows[1] - 3, columns[0] + 3 : columns[1] - 3] = True
    black = (image.max(axis=-1) < 90) & inside
    head.click("#show-images")
    head.set_value("colouring", "plain")
    picture = seen(head)
    scan = (np.abs(picture - picture[2, -2]).max(axis=-1) > 12) & inside
    assert (black & scan).sum() / (black | scan).sum() > 0.93  # of an image of 160 pixels
    assert black.sum() > 20_000


def test_mouse_keys_and_fingers_turn_it_and_home_brings_it_back(head: Page) -> None:
    start = seen(head)
    head.set_value("colouring", "distance")
    front = seen(head)
    moves = {
        "mouse": lambda: head.drag([(600, 300), (500, 300), (400, 300)]),
        "keys": lambda: [head.press("ArrowLeft") for _ in range(4)],
        "fingers": lambda: [
            head.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": 300}] if x else [])
            for kind, x in (("touchStart", 600), ("touchMove", 550), ("touchMove", 450), ("touchEnd", 0))
        ],
        "plus": lambda: head.press("+"),
    }
    for name, move in moves.items():
        head.evaluate("document.getElementById('canvas').focus()")
        move()
        assert np.abs(seen(head) - front).max(axis=-1).mean() > 1, name
        head.press("Home")
        assert np.abs(seen(head) - front).max() == 0, name
    head.set_value("colouring", "labels")
    assert np.abs(seen(head) - start).max() == 0


def test_left_is_the_subjects_left(head: Page) -> None:
    head.set_value("threshold", 0)
    head.click("[data-side=left]")
    picture = seen(head)
    face, back = skin(picture)[:, : SIZE[0] // 2].sum(), skin(picture)[:, SIZE[0] // 2 :].sum()
    assert face > 3 * back  # the face looks to the left of the picture, as its left ear is towards us
    head.click("[data-side=back]")
    assert skin(seen(head)).sum() < 100


def test_what_a_person_left_open_is_grey_and_not_counted(page: Page, folder: Path) -> None:
    page.open(folder / "painted.html", SIZE, READY)
    picture, x, y = seen(page), SIZE[0] // 2, SIZE[1] // 2 + 60
    assert skin(picture)[y, x - 60]
    assert np.ptp(picture[y, x + 60]) < 12 and picture[y, x + 60].min() > 100  # the subject's left is open
    text = page.evaluate("document.getElementById('legend').innerText")
    share = float(text.split("skin: ")[1].split(" %")[0])
    scan, prediction = head_scan()
    used = np.unique(scan.faces)
    known = used[scan.vertices[used, 0] < 0]
    assert "left open" in text and abs(share - 100 * prediction.skin[known].mean()) < 0.1
    page.click("#skin-only")
    assert not skin(seen(page))[:, x + 20 :].any()


def test_another_size_of_the_window_is_drawn(head: Page) -> None:
    head.open(Path(head.evaluate("location.pathname")), (900, 700), READY)
    assert skin(seen(head)).sum() > 10_000
    for size, scale in (((450, 350), 1), ((360, 280), 2)):  # as many times wider as high; zoomed, too
        head.call(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=scale, mobile=False
        )
        head.wait(f"innerWidth === {size[0]}")
        picture = seen(head)
        assert skin(picture).sum() > 2_500 and other(picture).sum() > 2_500
        assert head.evaluate("document.getElementById('canvas').width") == scale * size[0]


def test_dark_and_light(head: Page) -> None:
    corner = {}
    for _ in range(2):
        corner[head.evaluate("document.documentElement.dataset.theme")] = seen(head)[2, -2]
        head.click("#theme")
    assert corner["dark"].max() < 60 and corner["light"].min() > 200


def test_on_a_narrow_screen_nothing_is_wider_than_it(page: Page, folder: Path) -> None:
    page.open(folder / "registered.html", (380, 700), READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    boxes = page.evaluate(
        "['panel', 'legend'].map(name => { const b = document.getElementById(name).getBoundingClientRect();"
        "return [b.left, b.right, b.top, b.bottom]; })"
    )
    for left, right, top, bottom in boxes:
        assert left >= 0 and right <= 380 and top >= 0 and bottom <= 700
    assert boxes[0][3] <= boxes[1][2]  # panel above legend


def test_without_webgl_a_line_says_what_to_do(browser: str, folder: Path, tmp_path: Path) -> None:
    with browsing(browser, tmp_path / "profile", *NO_GL) as page:
        page.open(folder / "head.html", SIZE, "document.getElementById('message').textContent.includes('WebGL')")
        assert "Switch on hardware acceleration" in page.evaluate("document.body.innerText")
        assert page.evaluate("document.getElementById('panel').getClientRects().length") == 0  # it lay over the line
        assert page.errors == []
