from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from capture import Capture, CaptureInfo, InputError, read_json, write_json
from factory.dataset.archive import index_of, write_archive
from factory.dataset.events import EventLog
from factory.dataset.packing import PackSettings, pack
from factory.dataset.samples import encode, facts
from factory.dataset.store import Store
from factory.production.state.head_archives import head_archive_name
from factory.production.state.quarantine import put_in_quarantine
from factory.report.dataset_reader import DatasetReader, front_view
from factory.report.page import ReportExtras, write_report
from factory.report.sample_sections import prediction_section
from factory.report.settings import ReportSettings
from scans.predictions import Prediction
from tests.devtools import SOFTWARE_GL, browsing
from tests.factory.report.browser import find_browser, open_page
from tests.helpers import looking_at_origin, make_capture
from tests.scans.labelled import labelled_capture
from tests.scans.viewer.test_packing import read_page

HEADS = 6
FEW = ReportSettings(heads=2, faces=4)
SPEC = {
    "skin": {"melanin": 0.3},
    "hair": {"family": "bob", "length_mm": 200.0, "asset": ""},
    "beard": {"family": "none", "length_mm": 0.0},
    "shape": {"expression": [0.0, -0.5], "pose": {"neck": [0.1, 0, 0]}},
}
ASSET = {"id": "pack/wig", "kind": "hair", "licence": "CC0-1.0", "author": "Ada <ada@there>", "source": "a book"}


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("captures")
    folders = []
    for seed in range(HEADS):
        capture = make_capture(root / f"head_{seed:08d}", seed=seed)
        assets = (ASSET,) if seed == 4 else ()
        info = CaptureInfo(capture.info.id, seed, SPEC, {"blender": "4.5"}, assets, {"age": 20.0 + seed})
        write_json(capture.folder / Capture.INFO, info.to_json())
        folders.append(capture.folder)
    return folders


@pytest.fixture
def dataset(captures: list[Path], tmp_path: Path) -> Path:
    pack(captures, tmp_path / "heads", PackSettings(0.2, 2))
    store = Store(tmp_path / "heads")
    with EventLog(store) as events:
        for seed in range(HEADS):
            times = {"first view": 2.0, "other views": 6.0}
            events.write("stage", id=f"head_{seed:08d}", stage="generate", seconds=10.0, peak_gib=1.5, times=times)
        events.write("attempt failed", id="head_00000001", stage="generate", kind="out of memory", reason="no")
    attempt = {"id": "head_00000009", "stage": "label", "kind": "crash", "log": "the last words <b>\n"}
    put_in_quarantine(store, 9, [attempt], "label head_00000009 failed three times")
    return tmp_path / "heads"


def text_of(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")).split())


def test_the_page_tells_of_all_heads(dataset: Path) -> None:
    place = write_report(str(dataset), settings=FEW)
    assert place == str(dataset / "report.html")
    page, text = (dataset / "report.html").read_text(encoding="utf-8"), text_of(dataset / "report.html")
    assert "5 train, 1 test" in text and "2 of 6 heads, evenly spaced" in text and "4 of 6 heads" in text
    for chart in ("age, years", "skin tone", "hair length", "expression, largest", "skin vertices, %"):
        assert f'alt="{chart}' in page, chart
    assert 'alt="beard length' not in page  # nobody wears one
    assert "out of memory 1" in text
    assert "head_00000009: label head_00000009 failed three times" in text
    assert "the last words &lt;b&gt;" in text
    assert "pack/wig hair 1 CC0-1.0 Ada &lt;ada@there&gt; a book" in text
    assert "generate 6 10.0 10.0 10.0 1.50" in text
    assert "generate other views 6.00" in text and "generate the rest: starting, reading, writing 2.00" in text
    assert not re.search(r'(src|href)="(?!data:)', page)  # nothing beside it


def test_heads_that_are_shown_lie_all_over_the_data_set(dataset: Path) -> None:
    places = [location for location, _ in DatasetReader(str(dataset)).entries()]
    write_report(str(dataset), settings=ReportSettings(heads=2, faces=0))
    shown = re.findall(r"<h3>(\S+) ", (dataset / "report.html").read_text(encoding="utf-8"))
    reader = DatasetReader(str(dataset))
    assert shown == [reader.read_info(places[0])["id"], reader.read_info(places[-1])["id"]]
    assert places[0].split == "train" and places[-1].split == "test"


def test_from_a_url_into_it(dataset: Path) -> None:
    url = "memory://studio/heads"
    files = fsspec.filesystem("memory")
    for path in dataset.rglob("*"):
        if path.is_file():
            files.pipe_file(f"/studio/heads/{path.relative_to(dataset).as_posix()}", path.read_bytes())
    files.rm_file("/studio/heads/events.jsonl")  # there, logs are a folder of files
    files.pipe_file("/studio/heads/events/1.jsonl", (dataset / "events.jsonl").read_bytes())
    assert write_report(url, settings=FEW) == f"{url}/report.html"
    write_report(str(dataset), settings=FEW)
    there = files.cat_file("/studio/heads/report.html").decode()
    assert there == (dataset / "report.html").read_text(encoding="utf-8")


def test_a_data_set_in_the_making(captures: list[Path], dataset: Path) -> None:
    (lost,) = read_json(dataset / "dataset.json", "dataset.json")["splits"]["test"]["ids"]
    (dataset / "dataset.json").unlink()
    (dataset / "test-000000.tar").unlink()
    (dataset / "parts").mkdir()
    for slot, folder in enumerate(captures):  # one that is in no shard, and others that are just being joined
        capture = Capture.read(folder)
        sample = encode(capture)
        if capture.info.id == lost or slot < 2:
            index = index_of([(slot, capture.info.id, facts(capture), sample)], "key")
            write_archive(
                dataset / "parts" / head_archive_name(slot, slot), index, (sample[key] for key in sorted(sample))
            )
    write_report(str(dataset), settings=FEW)
    text = text_of(dataset / "report.html")
    assert "5 train, 1 in no shard yet" in text and "not complete" in text


def test_head_archives_that_become_a_shard_meanwhile(dataset: Path, captures: list[Path]) -> None:
    (dataset / "dataset.json").unlink()
    capture = Capture.read(captures[0])
    sample = encode(capture)
    path = dataset / "parts" / head_archive_name(0, 0)
    index = index_of([(0, capture.info.id, facts(capture), sample)], "key")
    write_archive(path, index, (sample[key] for key in sorted(sample)))
    reader = DatasetReader(str(dataset))
    path.unlink()
    places = [location for location, _ in reader.entries()]
    assert len(places) == HEADS
    (dataset / places[0].archive).unlink()
    with pytest.raises(InputError, match=r"test-000000\.tar: it is gone; a run may have put its heads into a shard"):
        reader.read_head(places[0])


def test_what_is_wrong_is_named(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data set: .*/nothing is no folder"):
        write_report(str(tmp_path / "nothing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty has no dataset\.json and no heads"):
        write_report(str(tmp_path / "empty"))
    with pytest.raises(InputError, match="0 or more heads"):
        ReportSettings(heads=-1)
    shard = dataset / "train-000001.tar"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"train-000001\.tar is damaged"):
        write_report(str(dataset), settings=ReportSettings(heads=100))
    shard.unlink()
    with pytest.raises(InputError, match=r"train-000001\.tar is damaged: it is gone"):
        write_report(str(dataset))
    assert not (dataset / "report.html").exists()


def test_older_data_sets_that_tell_less(dataset: Path, monkeypatch: pytest.MonkeyPatch, captures: list[Path]) -> None:
    def brief(capture: Capture) -> dict:
        return {key: value for key, value in facts(capture).items() if key not in ("look", "assets", "distance_counts")}

    monkeypatch.setattr("factory.dataset.packing.facts", brief)
    shutil.rmtree(dataset)
    pack(captures, dataset, PackSettings(0.2, 2))
    write_report(str(dataset), settings=FEW, extras=ReportExtras(title="An old one"))
    text = text_of(dataset / "report.html")
    assert "An old one" in text and "Attributes of the heads" not in text and "No attempt failed." in text


def test_the_front_is_what_looks_into_the_face() -> None:
    assert front_view([looking_at_origin(str(angle), angle) for angle in (-90.0, -20.0, 10.0, 40.0)]) == 2


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    path = find_browser()
    if path is None:
        pytest.skip("no browser of the Chromium family on this machine")
    yield path


@pytest.mark.parametrize("width", [1280, 500])
def test_in_a_browser(browser: str, dataset: Path, tmp_path: Path, width: int) -> None:
    write_report(str(dataset), settings=FEW)
    page = dataset / "report.html"
    shown = open_page(browser, page, tmp_path, width)
    assert shown.images == page.read_text(encoding="utf-8").count("<img") > 20
    assert shown.shown == shown.images
    assert shown.wrong == [] and shown.requests == [] and shown.too_wide == []
    assert shown.headings == [
        "Data set heads", "Faces", "Attributes of the heads", "Quality of the scans", "Sample heads", "Time and memory",
        "Failed and rejected heads", "Assets",
    ]  # fmt: skip
    assert "the last words <b>" in shown.text


def test_heads_are_turned_around_in_the_page_once_they_are_unfolded(
    browser: str, dataset: Path, tmp_path: Path
) -> None:
    write_report(str(dataset), settings=FEW)
    inside = "document.querySelector('.turning iframe').contentDocument"
    with browsing(browser, tmp_path / "profile", *SOFTWARE_GL) as page:
        page.open(dataset / "report.html")
        assert page.evaluate("document.querySelectorAll('.turning iframe').length") == 2
        assert not page.evaluate(f"Boolean({inside}.getElementById('canvas'))")  # nothing is unpacked before
        page.evaluate("document.querySelector('.turning summary').click()")  # images still move it
        page.wait(f"{inside}.documentElement?.dataset.ready")
        page.evaluate("document.querySelector('.turning iframe').scrollIntoView({block: 'center'})")
        x, y = page.evaluate(
            "(b => [b.x + b.width / 2, b.y + b.height / 2])"
            "(document.querySelector('.turning iframe').getBoundingClientRect())"
        )
        red, _, blue = page.screenshot()[round(y), round(x)].astype(int)
        assert red > blue + 40  # skin, in the middle of the face
        assert page.errors == []
        assert not [name for name in page.requests if name.partition(":")[0] not in ("file", "data", "blob", "about")]


def test_the_browser_test_can_fail(browser: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        '<title>x</title><body><main><h1>x</h1><img alt="bad" src="data:image/png;base64,AAAA">'
        '<img src="gone.png" alt="gone"><p style="width:50px;white-space:nowrap">much too wide</p>'
        "</main><script>onload = () => nonsense()</script></body>"
    )
    shown = open_page(browser, broken, tmp_path)
    assert shown.shown == 0 and shown.images == 2
    assert {"bad", "gone", "Uncaught ReferenceError: nonsense is not defined"} == set(shown.wrong)
    assert [Path(request).name for request in shown.requests] == ["gone.png"]
    assert shown.too_wide == ["P much too wide"]


def test_a_prediction_is_turned_in_metres_whatever_the_units(tmp_path: Path) -> None:
    """A scan in millimetres, cameras in metres."""
    labelled = labelled_capture(tmp_path / "ball")
    scene, _ = read_page(prediction_section(labelled.folder.parent, turning=True)["view"])
    assert 65535 * scene["scan"]["step"] == pytest.approx(0.2, rel=0.01)
    assert 0.05 < scene["pose"]["radius"] < 0.2
    centres = [camera.centre for camera in labelled.capture.cameras]
    np.testing.assert_allclose([camera["centre"] for camera in scene["cameras"]], centres)


@pytest.mark.parametrize("turning", [False, True])
def test_a_prediction_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turning: bool) -> None:
    folder, read = labelled_capture(tmp_path / "ball").folder.parent, Counter[str]()

    def counted(kind: type[Capture] | type[Prediction]) -> Callable[..., object]:
        original = kind.read

        def reading(*arguments: Any) -> object:
            read[kind.__name__] += 1
            return original(*arguments)

        return reading

    for kind in (Capture, Prediction):
        monkeypatch.setattr(kind, "read", counted(kind))
    section = prediction_section(folder, turning)
    assert section["name"] == "ball" and (section["view"] is not None) == turning
    assert read == {"Capture": 1, "Prediction": 1}


def test_records_of_stages_hold_what_the_page_reads(captures: list[Path]) -> None:
    values = facts(Capture.read(captures[4]))
    assert values["look"] == {"age": 24.0, "skin_melanin": 0.3, "hair": "bob", "hair_mm": 200.0, "beard": "none",
                             "beard_mm": 0.0, "expression": 0.5, "turn_deg": 5.73}  # fmt: skip
    assert values["assets"] == ["pack/wig"]
    assert sum(values["distance_counts"]) == values["vertices"]
    assert json.loads(json.dumps(values)) == values
    assert read_json(captures[4] / Capture.INFO, "capture.json")["traits"] == {"age": 24.0}
