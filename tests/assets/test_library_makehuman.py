"""Importing MakeHuman's assets: a synthetic pack, the real one where it is, and files that are not what they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assets.library import open_library
from assets.library.catalogue import check
from assets.library.import_makehuman import Origin, import_makehuman
from assets.library.mhclo import read_material, read_obj, read_origin, read_proxy
from capture import InputError
from tests.assets.packs import write_pack, write_proxy
from tests.helpers import SHARED, needs_shared

REAL = SHARED / "assets" / "makehuman"


@pytest.mark.parametrize("link", [False, True])
def test_a_pack_is_imported_but_for_its_gaps(link: bool, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "pack")
    done = import_makehuman(pack, tmp_path / "library", Origin(), link)
    kinds = {asset.id: asset.kind for asset in done.assets}
    assert kinds == {
        "makehuman/bob": "hair",
        "makehuman/thick": "eyebrows",
        "makehuman/long": "eyelashes",
        "makehuman/shirt": "garment",
        "makehuman/topper": "headwear",
        "makehuman/young": "skin",
        "makehuman/blue": "eye",
        "makehuman/cone": "headwear",
    }
    left = dict(done.left_out)
    assert set(left) == {"hair/lost", "skins/old", "skins/plain"}
    assert "nowhere.png" in left["hair/lost"] and "diffuseTexture" in left["skins/plain"]
    assert check(tmp_path / "library")[1] == []
    library = open_library([tmp_path / "library"])
    skin = library.find("makehuman/young", "skin")
    assert (skin.licence, skin.author, skin.tags) == ("CC0-1.0", "Jane Doe", ("young",))
    assert library.find("makehuman/bob", "hair").source == "http://www.makehumancommunity.org"
    assert skin.path("diffuse").is_symlink() == link
    again = import_makehuman(pack, tmp_path / "library", Origin(), link)
    assert [a.sha256 for a in again.assets] == [a.sha256 for a in done.assets]


@needs_shared(REAL, "MakeHuman's asset pack")
def test_a_real_pack_is_imported_but_for_its_gaps(tmp_path: Path) -> None:
    done = import_makehuman(REAL, tmp_path, Origin(), link=True)
    counts = Counter(asset.kind for asset in done.assets)
    assert counts == {"skin": 11, "hair": 8, "eyebrows": 12, "eyelashes": 4, "eye": 9, "garment": 6}
    assert {asset.licence for asset in done.assets} == {"CC0-1.0"}
    assert {"clothes/fedora01", "hair/afro01", "skins/old_asian_male"} <= {name for name, _ in done.left_out}
    assert check(tmp_path)[1] == []


def test_packs_without_a_licence_need_one(tmp_path: Path) -> None:
    path = tmp_path / "pack" / "skins" / "a.mhmat"
    path.parent.mkdir(parents=True)
    path.write_text("diffuseTexture a.png\n")
    write_pack(tmp_path / "other")
    (path.parent / "a.png").write_bytes((tmp_path / "other/skins/young/map.png").read_bytes())
    refused = import_makehuman(tmp_path / "pack", tmp_path / "library", Origin())
    assert not refused.assets and "`licence`" in refused.left_out[0][1]
    done = import_makehuman(tmp_path / "pack", tmp_path / "library", Origin("mine", "CC-BY-4.0"))
    assert [(a.id, a.licence) for a in done.assets] == [("mine/a", "CC-BY-4.0")]
    path.rename(path.with_name("my skin é.mhmat"))
    spaced = import_makehuman(tmp_path / "pack", tmp_path / "spaced", Origin("mine", "CC-BY-4.0"))
    assert [a.id for a in spaced.assets] == list(open_library([tmp_path / "spaced"]).assets) == ["mine/my_skin_é"]
    path.with_name("my skin é.mhmat").unlink()
    path.write_text("# license: GPL3\n# author: Joe\ndiffuseTexture ../../other/skins/young/map.png\n")
    assert read_origin(path) == ("GPL3", "Joe", "")
    assert "outside" in import_makehuman(tmp_path / "pack", tmp_path / "library", Origin()).left_out[0][1]
    with pytest.raises(InputError, match="no MakeHuman assets"):
        import_makehuman(tmp_path / "library", tmp_path / "out", Origin())


def test_a_proxy_is_read(tmp_path: Path) -> None:
    path = write_proxy(tmp_path, "hat", ["881", "962 5320 881 0.2 0.3 0.5 0.1 0.2 0.3", "1 2 3 0.2 0.3 0.5"])
    proxy = read_proxy(path)
    assert proxy.bound.tolist() == [[881, 881, 881], [962, 5320, 881], [1, 2, 3]]
    assert proxy.weights.tolist() == [[1, 0, 0], [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]
    assert proxy.offsets.tolist() == [[0, 0, 0], [0.1, 0.2, 0.3], [0, 0, 0]]
    assert proxy.scales == {0: (5399, 11998, 1.48), 2: (962, 5320, 1.9221), 1: (791, 881, 2.3298)}
    assert (proxy.name, proxy.obj_file, proxy.material) == ("hat", "hat.obj", "hat.mhmat")
    assert proxy.deleted == {3, 4, 5, 6, 7, 9}
    mesh = read_obj(tmp_path / "hat.obj")
    assert mesh.triangles.tolist() == [[0, 1, 2]] and mesh.corner_uvs.shape == (1, 3, 2)
    assert read_material(tmp_path / "hat.mhmat")[0] == {"diffuse": "map.png"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "binds no vertices"),
        ("verts 0\n1 2\n", "line 2"),
        ("verts 0\n1 2 x 0 0 0 0 0 0\n", "line 2"),
        ("verts 0\n19158\n", "hm08 base mesh"),
        ("verts 0\n-1\n", "hm08 base mesh"),
        ("verts 0\n1 2 3 nan 0 0 0 0 0\n", "hm08 base mesh"),
        ("x_scale 1 2\nverts 0\n1\n", "line 1"),
        ("x_scale 1 2 0\nverts 0\n1\n", "more than 0"),
        ("basemesh alpha7\nverts 0\n1\n", "alpha7"),
        ("\x00\xff\n", "binds no vertices"),
    ],
)
def test_a_wrong_proxy_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mhclo"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.mhclo") as caught:
        read_proxy(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "v 0 0 0\n", "v 0 0\nvt 0 0\nf 1/1 1/1 1/1\n", "v 0 0 0\nvt 0 0\nf 1/1 2/1 1/1\n",
                                  "v 0 0 0\nf 1 1 1\n", "v a b c\n"])  # fmt: skip
def test_a_wrong_mesh_is_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.obj"):
        read_obj(path)


def test_polygons_and_negative_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf -4/-4/1 -3/-3/1 3/3 4/4\n")
    mesh = read_obj(path)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert np.allclose(mesh.vertices[mesh.triangles][..., :2], mesh.corner_uvs)


def test_maps_that_a_garment_can_do_without_and_names_in_other_case(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Packs are made on systems that tell no upper from lower case; macOS leaves its own files beside."""
    folder = tmp_path / "pack" / "clothes" / "cone"
    write_proxy(folder, "cone", ["1", "2", "3", "4"])
    material = folder / "cone.mhmat"
    material.write_text(material.read_text().replace("map.png", "Map.PNG") + "normalmapTexture gone.png\n")
    (folder / "cone.obj").rename(folder / "Cone.OBJ")
    (folder / "._cone.mhclo").write_bytes(b"\0\5\26\7")
    done = import_makehuman(tmp_path / "pack", tmp_path / "library", Origin())
    assert not done.left_out
    assert {role: Path(name).name for role, name in done.assets[0].files.items()} == {
        "mesh": "Cone.OBJ",
        "fit": "cone.mhclo",
        "diffuse": "map.png",
    }
    assert "its normal texture is missing" in caplog.text and "'Map.PNG', which is taken to be" in caplog.text
