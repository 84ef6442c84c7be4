"""A view in Firefox: the same on the canvas as in a browser of the Chromium family."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scans.viewer.page import write_view
from tests.firefox import FirefoxPage, find_firefox, firefox_page
from tests.scans.viewer.made import template, view

READY = "document.documentElement.dataset.ready"
SIZE = (900, 600)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxPage]:
    firefox = find_firefox()
    if firefox is None:
        pytest.skip("no Firefox on this machine, or no screen for it (Debian: firefox-esr, xvfb)")
    with firefox_page(firefox, tmp_path_factory.mktemp("firefox") / "profile") as page:
        yield page


def seen(page: FirefoxPage) -> np.ndarray:
    """(H, W, 3) of the canvas beside panel and legend."""
    hide = "for (const name of ['panel', 'legend']) document.getElementById(name).style.opacity = 0"
    page.call("WebDriver:ExecuteScript", script=hide, args=[])
    return page.screenshot().astype(int)


def test_the_labelled_face_is_upright_and_its_threshold_and_cameras_work(page: FirefoxPage, tmp_path: Path) -> None:
    write_view(tmp_path / "head.html", view())
    page.open(tmp_path / "head.html", SIZE, READY)
    assert page.evaluate("[innerWidth, innerHeight]") == list(SIZE)
    picture = seen(page)
    red, _, blue = np.moveaxis(picture, -1, 0)
    skin, other = red > blue + 40, blue > red + 20
    rows, columns = np.flatnonzero((skin | other).any(axis=1)), np.flatnonzero((skin | other).any(axis=0))
    assert abs(rows.mean() - SIZE[1] / 2) < 0.05 * SIZE[1] and abs(columns.mean() - SIZE[0] / 2) < 0.05 * SIZE[0]
    assert 0.5 * SIZE[1] < np.ptp(rows) < SIZE[1] and 0.4 < skin.sum() / (skin | other).sum() < 0.6
    assert np.nonzero(skin)[0].mean() > SIZE[1] / 2 > np.nonzero(other)[0].mean()  # the chin is below
    page.click("#skin-only")
    alone = seen(page)
    assert (alone[..., 2] > alone[..., 0] + 20).sum() < 100
    page.click("#show-cameras")
    red, green, blue = np.moveaxis(seen(page), -1, 0)
    assert ((green > red + 80) & (green > blue + 80)).sum() > 1_000  # the images of the cameras
    assert page.evaluate("document.getElementById('message').textContent") == ""


def test_the_template_has_the_colours_of_its_distance(page: FirefoxPage, tmp_path: Path) -> None:
    write_view(tmp_path / "registered.html", view(template=template()))
    page.open(tmp_path / "registered.html", SIZE, READY)
    picture, x = seen(page), SIZE[0] // 2
    far, near = picture[SIZE[1] // 2 - 30, x], picture[SIZE[1] // 2 + 30, x]
    assert far[0] > 180 and far[1] > 160 and far[2] < 90  # yellow
    assert near[0] < 100 and near[1] < 60 and near[2] > near[1] + 30  # dark violet
