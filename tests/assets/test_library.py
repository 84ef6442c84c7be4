"""The asset library: manifests, stacks, checks, panoramas, and what the command line says about them."""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assets.library import KINDS, open_library, read_asset
from assets.library.catalogue import check
from assets.library.images import image_problem
from assets.library.import_hdri import import_hdri
from capture import Capture, CaptureInfo, InputError
from tests.assets.packs import write_asset, write_image
from tests.helpers import make_capture


def test_a_manifest_round_trips(tmp_path: Path) -> None:
    path = write_asset(tmp_path, "mine/anna", tags=["young"], weight=2, author="Anna", source="https://example.org")
    asset = read_asset(path)
    assert (asset.id, asset.weight, asset.tags, asset.problems(deep=True)) == ("mine/anna", 2.0, ("young",), [])
    path.write_text(json.dumps(asset.to_json()))
    assert read_asset(path) == asset
    digest = hashlib.sha256((path.parent / "map.png").read_bytes()).hexdigest()
    assert asset.credit()["sha256"] == hashlib.sha256(f"diffuse {digest}\n".encode()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "moustache"}, "unknown kind 'moustache'; use one of skin"),
        ({"licence": ""}, "the licence is missing"),
        ({"license": "CC0"}, "unknown license"),
        ({"files": {}}, "a skin needs diffuse"),
        ({"files": {"diffuse": "../../secret.png"}}, "leaves the asset's folder"),
        ({"files": {"diffuse": "/etc/passwd"}}, "leaves the asset's folder"),
        ({"files": {"diffuse": "C:\\map.png"}}, "leaves the asset's folder"),
        ({"files": {"diffuse": "map.png", "glow": "map.png"}}, "unknown glow"),
        ({"files": ["map.png"]}, "role: path"),
        ({"id": "a b"}, "id 'a b'"),
        ({"id": "../up"}, "id '../up'"),
        ({"weight": -1}, "weight"),
        ({"weight": True}, "weight"),
        ({"tags": "young"}, "tags"),
        ({"author": 5}, "author"),
    ],
)
def test_a_wrong_manifest_is_one_line(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_asset(tmp_path, "a")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(InputError, match=r"asset\.json") as caught:
        open_library([tmp_path])
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert any(message in problem for problem in check(tmp_path)[1])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"skin"'])
def test_a_manifest_that_is_no_object(text: str, tmp_path: Path) -> None:
    write_asset(tmp_path, "a").write_text(text)
    with pytest.raises(InputError, match=r"asset\.json"):
        open_library([tmp_path])


def test_what_lacks_a_file_is_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_asset(tmp_path, "whole")
    (write_asset(tmp_path, "gap").parent / "map.png").unlink()
    (write_asset(tmp_path, "torn").parent / "map.png").write_bytes(b"GIF89a")
    library = open_library([tmp_path])
    assert list(library.assets) == ["whole"] and set(library.left_out) == {"gap", "torn"}
    assert "asset gap is left out: its diffuse file is missing" in caplog.text
    with pytest.raises(InputError, match=r"'torn' can't be used.*not PNG"):
        library.find("torn", "skin")


def test_later_libraries_go_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for place, weight in (("one", 1), ("two", 5)):
        write_asset(tmp_path / place, "a", weight=weight)
    write_asset(tmp_path / "one", "b")
    library = open_library([tmp_path / "one", tmp_path / "two"])
    assert library.weights("skin") == {"a": 5.0, "b": 1.0}
    assert f"{tmp_path / 'two'} goes before earlier libraries for a" in caplog.text
    (tmp_path / "two/skin/a/map.png").unlink()  # a broken one does not hide the whole one below it
    assert open_library([tmp_path / "one", tmp_path / "two"]).weights("skin") == {"a": 1.0, "b": 1.0}
    with pytest.raises(InputError, match="'a' is taken"):
        open_library([tmp_path])
    with pytest.raises(InputError, match="no such library folder"):
        open_library([tmp_path / "three"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is no library"):
        open_library([tmp_path / "empty"])


def test_assets_are_found_by_kind_and_mesh(tmp_path: Path) -> None:
    write_asset(tmp_path, "x/a")
    write_asset(tmp_path, "x/eye", "eye")
    library = open_library([tmp_path])
    assert library.weights("skin", "ict") == {} and library.weights("eye", "ict") == {"x/eye": 1.0}
    with pytest.raises(InputError, match="of kind 'eye', 'skin' is needed"):
        library.find("x/eye", "skin")
    with pytest.raises(InputError, match="no library has the skin asset 'x/b'"):
        library.find("x/b", "skin")
    with pytest.raises(InputError, match="no library is given"):
        open_library([]).find("x/b", "skin")


def test_images_are_read_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path)
    data = path.read_bytes()
    assert image_problem(path, deep=True) == ""
    path.write_bytes(data[:-20])
    assert image_problem(path) == "" and image_problem(path, deep=True) == "it ends too early"
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    assert "check sum" in image_problem(path, deep=True)
    exr = tmp_path / "panorama.exr"
    exr.write_bytes(one_line_exr())
    assert image_problem(exr, deep=True) == ""
    for size in (9, 100, len(one_line_exr()) - 1):
        exr.write_bytes(one_line_exr()[:size])
        assert image_problem(exr) == "" and "too early" in image_problem(exr, deep=True)
    others = (("b.exr", b"no", "not EXR"), ("c.txt", b"x", ".txt is no image"), ("d.jpg", b"", "empty"))
    for name, content, message in others:
        (tmp_path / name).write_bytes(content)
        assert message in image_problem(tmp_path / name)


def one_line_exr() -> bytes:
    """A whole OpenEXR file of 2 x 1 pixels, one channel of floats, not compressed."""
    window = struct.pack("<4i", 0, 0, 1, 0)
    channel = b"R\0" + struct.pack("<iBxxxii", 2, 0, 1, 1) + b"\0"
    fields = (("channels", "chlist", channel), ("compression", "compression", b"\0"), ("dataWindow", "box2i", window))
    head = b"\x76\x2f\x31\x01" + struct.pack("<i", 2)
    for name, kind, value in fields:
        head += f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value
    head += b"\0"
    return head + struct.pack("<Q", len(head) + 8) + struct.pack("<ii2f", 0, 8, 0.5, 1.0)


def test_panoramas_are_imported(tmp_path: Path) -> None:
    source = tmp_path / "My HDRIs"
    source.mkdir()
    (source / "sky 1.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n" + bytes(8))
    (source / "torn.exr").write_bytes(b"nothing")
    done = import_hdri(source, tmp_path / "library", "CC0-1.0", author="A")
    assert [asset.id for asset in done.assets] == ["My_HDRIs/sky_1"]
    assert [name for name, _ in done.left_out] == ["torn.exr"]
    linked = import_hdri(source, tmp_path / "linked", "CC0-1.0", link=True).assets[0]
    assert linked.path("image").is_symlink() and open_library([tmp_path / "linked"]).assets
    (source / "_.hdr").write_bytes((source / "sky 1.hdr").read_bytes())
    assert [asset.id for asset in import_hdri(source, tmp_path / "library", "CC0-1.0").assets] == [
        "My_HDRIs",
        "My_HDRIs/sky_1",
    ]
    with pytest.raises(InputError, match="`licence`"):
        import_hdri(source, tmp_path / "library", "")
    assert len(open_library([tmp_path / "library"]).assets) == 2
    with pytest.raises(InputError, match="no panoramas"):
        import_hdri(write_asset(tmp_path / "skins", "a").parent, tmp_path / "out", "x")


def test_maps_that_are_missing_or_spelt_otherwise_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = write_asset(tmp_path, "x/a")
    value = json.loads(manifest.read_text())
    image = manifest.parent / value["files"]["diffuse"]
    image.rename(image.with_name(image.name.upper()))
    value["files"]["normal"] = "gone.png"
    manifest.write_text(json.dumps(value))
    asset = open_library([tmp_path]).assets["x/a"]
    assert asset.files == {"diffuse": image.name.upper()}
    assert f"asset x/a: its diffuse file {image.name} is taken to be {image.name.upper()}" in caplog.text
    assert "its normal file is missing, and done without" in caplog.text
    good, problems = check(tmp_path)
    assert [each.id for each in good] == ["x/a"] and not problems


def p2p(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "factory.cli", "assets", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_line_lists_and_checks(tmp_path: Path) -> None:
    write_asset(tmp_path / "good", "x/a", tags=["young"])
    write_asset(tmp_path / "bad", "x/b", "eye", licence="")
    write_asset(tmp_path / "bad", "x/c", "sock")
    (write_asset(tmp_path / "bad", "x/d").parent / "map.png").unlink()
    listed = p2p("list", "--library", tmp_path / "good", "--kind", "skin")
    assert listed.returncode == 0 and listed.stdout.split() == ["skin", "x/a", "1", "CC0-1.0", "young"]
    assert "studio" in p2p("list").stdout
    assert p2p("check", tmp_path / "good").returncode == 0
    bad = p2p("check", tmp_path / "good", tmp_path / "bad")
    assert bad.returncode == 2 and "error: 3 problems" in bad.stderr and "Traceback" not in bad.stderr
    for name, problem in (("x-b", "licence is missing"), ("x-c", "unknown kind"), ("x/d", "diffuse file is missing")):
        assert any(name in line and problem in line for line in bad.stderr.splitlines()), bad.stderr
    assert p2p("list", "--library", tmp_path / "bad").returncode == 2


def test_credits_of_captures_are_summed(tmp_path: Path) -> None:
    asset = {"id": "x/a", "kind": "skin", "licence": "CC-BY-4.0", "author": "Anna", "source": "", "sha256": "ab"}
    for seed in range(2):
        capture = make_capture(tmp_path / f"head_{seed}", seed=seed)
        info = CaptureInfo(capture.info.id, seed, assets=(asset,))
        Capture.create(capture.folder, capture.cameras, info)
        assert Capture.read(capture.folder).info.assets == (asset,)
    for where in ((tmp_path,), (tmp_path / "head_0", tmp_path / "head_1")):
        done = p2p("credits", *where)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[1].split() == ["skin", "x/a", "2", "CC-BY-4.0", "Anna", "-", "ab"]
    assert p2p("credits", tmp_path / "nothing").returncode == 2


def test_every_kind_needs_what_it_may_have() -> None:
    for kind in KINDS.values():
        assert kind.needed and not set(kind.needed) & set(kind.optional)
