"""The page of a view as a text: nothing from outside, licences, and texts that a user chose."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture import InputError, Labels
from scans.predictions import Prediction
from scans.viewer.page import view_page
from scans.viewer.view import View, ViewedScan
from tests.helpers import REPO
from tests.scans.viewer.made import head_scan, template, view
from tests.scans.viewer.test_packing import read_array, read_page, read_steps

THREE = REPO / "scans" / "viewer" / "three"


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = view_page(view())
    assert not re.search(r'(src|href)\s*=\s*"', page) and "@import" not in page
    assert set(re.findall(r"https?://[\w./-]+", page)) == {"http://www.w3.org/1999/xhtml"}  # a name of XML's


def test_the_licence_of_three_goes_along_in_the_version_that_is_told() -> None:
    page = view_page(view())
    for line in (THREE / "LICENSE").read_text(encoding="utf-8").splitlines():
        assert line in page
    version = re.search(r"\| three \| 0\.(\d+)\.\d+ \|", (THREE / "README.md").read_text())
    assert version and f'"{version[1]}"' in (THREE / "three.min.js").read_text(encoding="utf-8")


def test_only_what_the_program_uses_is_bundled() -> None:
    names = set(re.findall(r"\b([A-Z]\w+)\b(?=[,\s]*[\w,\s]*\} from)", (THREE / "entry.js").read_text()))
    used = set(re.findall(r"\bTHREE\.(\w+)", (REPO / "scans" / "viewer" / "page" / "view.js").read_text()))
    assert used == names


@pytest.mark.parametrize("title", ["</title><script>x()</script>", "[[three]] & [[data]]", "Zoë 头"])
def test_any_title_is_but_a_title(title: str) -> None:
    page = view_page(replace(view(), title=title, facts=["</script>", "[[style]]"]))
    scene, _ = read_page(page)
    assert scene["title"] == title and scene["facts"][:2] == ["</script>", "[[style]]"]
    assert page.count("<script") == page.count("</script>") == 4


def test_a_view_of_less_says_less() -> None:
    scan, _ = head_scan()
    scene, _ = read_page(view_page(View("x", ViewedScan(replace(scan, colours=None)), template())))
    assert scene["scan"]["labels"] is scene["scan"]["parts"] is scene["scan"]["distance"] is None
    assert scene["cameras"] == [] and not scene["scan"]["colour"] and scene["template"]["surface"] == "scan"
    with pytest.raises(InputError, match="2 labels for"):
        ViewedScan(scan, Prediction([0.1, 0.9], [False, True]))


def test_vertices_that_a_person_left_open_are_a_colour_of_their_own() -> None:
    scan, prediction = head_scan()
    known = scan.vertices[:, 0] < 0
    nan = np.full(len(known), np.nan)
    scene, data = read_page(view_page(View("x", ViewedScan.of_labels(scan, Labels(nan, prediction.skin, known=known)))))
    labels, count = scene["scan"]["labels"], scene["scan"]["vertices"]
    assert labels["open"] not in (labels["skin"], labels["other"], None)
    steps = read_steps(scene, data, "scan.steps", count, 16)
    across = (scene["scan"]["low"] + scene["scan"]["step"] * steps)[:, 0]
    open_, clear = np.array(read_array(scene, data, "scan.open"), bool), np.abs(across) > 1e-5
    np.testing.assert_array_equal(open_[clear], across[clear] > 0)
    for whole in (None, np.ones(len(known), bool)):
        scene, _ = read_page(
            view_page(View("x", ViewedScan.of_labels(scan, Labels(nan, prediction.skin, known=whole))))
        )
        assert scene["scan"]["labels"]["open"] is None and "scan.open" not in scene["arrays"]


def test_pages_of_the_same_view_are_the_same(tmp_path: Path) -> None:
    assert view_page(view()) == view_page(view())
