"""A capture on disk: calibrated images of one head, and what the stages added to them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from capture.camera import Camera
from capture.colmap import SparseModel, SparsePoints, read_model, write_model
from capture.errors import InputError
from capture.files import read_json, write_json
from capture.folders import INFO, check_folder
from capture.listing import list_files
from capture.runtime.warnings_once import warn_once

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; Blender before 4.1 runs 3.10

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class CaptureInfo:
    """The contents of `capture.json`.

    Attributes:
        id: name of the capture, the same as its folder's for those that we make.
        seed: seed of a synthetic head, None for a user's own capture.
        spec: the `HeadSpec` of a synthetic head as JSON, else None.
        versions: tool or asset -> version.
        traits: what the head model tells about the person, as far as it does: `age` in years, `masculine` 0 to 1.
        assets: the library assets and panoramas that it shows: id, kind, licence, author, source, sha256 of each.
    """

    id: str
    seed: int | None = None
    spec: Mapping[str, Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    assets: Sequence[Mapping[str, str]] = ()
    traits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_\-]+", self.id):
            raise InputError(f"capture id {self.id!r}: use only letters, digits, '_' and '-', as shard keys do")

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "schema_version": SCHEMA_VERSION,
            "id": self.id,
            "seed": self.seed,
            "spec": None if self.spec is None else dict(self.spec),
            "versions": dict(self.versions),
            "assets": [dict(asset) for asset in self.assets],
            "traits": dict(self.traits),
        }

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """The record in a parsed `capture.json`; `where` names the file in errors."""
        if not isinstance(value, dict) or not isinstance(value.get("id"), str):
            raise InputError(f"{where}: not a capture.json (no id); make the capture again, or remove the file")
        version = value.get("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"{where}: schema version {version}, this program reads {SCHEMA_VERSION}; make it again")
        seed, spec, versions = value.get("seed"), value.get("spec"), value.get("versions") or {}
        if not isinstance(seed, int | None) or not isinstance(spec, dict | None) or not isinstance(versions, dict):
            raise InputError(f"{where}: seed, spec or versions is of another type; make the capture again")
        assets = value.get("assets") or []
        if not isinstance(assets, list) or not all(isinstance(asset, dict) for asset in assets):
            raise InputError(f"{where}: assets: a list of objects is needed; make the capture again")
        traits = value.get("traits") or {}
        if not isinstance(traits, dict) or not all(isinstance(trait, int | float) for trait in traits.values()):
            raise InputError(f"{where}: traits: an object of numbers is needed; make the capture again")
        return cls(value["id"], seed, spec, versions, tuple(assets), traits)


@dataclass(frozen=True, eq=False)
class Capture:
    """Calibrated images of one head in a folder.

    The folder's files are listed in docs/formats.md: `images/` and `sparse/` are needed, everything else may be
    missing. The record holds the cameras and the paths of the other files; pixels and meshes are read on use.

    Attributes:
        folder: path of the capture.
        model: cameras in the order of their image names, and sparse points where there are any.
        info: contents of `capture.json`; an id made from the folder's name where there is none.

    Example:
        >>> from pixels2points import Capture
        >>> capture = Capture.read("captures/head_00000004")
        >>> len(capture.cameras), capture.cameras[0].name
        (13, 'view_00.png')
        >>> capture.scan_path.name
        'scan.ply'
    """

    folder: Path
    model: SparseModel
    info: CaptureInfo

    SCAN: ClassVar[str] = "scan.ply"
    LABELS: ClassVar[str] = "labels.npz"
    QUALITY: ClassVar[str] = "quality.json"
    HEAD: ClassVar[str] = "head.ply"
    INFO: ClassVar[str] = INFO
    BLEND: ClassVar[str] = "blend.json"

    @classmethod
    def read(cls, folder: Path | str) -> Self:
        """Open the capture in `folder`.

        Images that the COLMAP model lists and that are not there are left out with a warning; not so in a capture that
        we rendered, where one that is missing is damage.

        Raises:
            InputError: where the folder, its cameras or their images are missing, or the folder is something else.
        """
        folder = Path(folder)
        check_folder(folder)
        model = read_model(folder / "sparse")
        info_path = folder / cls.INFO
        if info_path.is_file():
            info = CaptureInfo.from_json(read_json(info_path, "capture.json"), str(info_path))
        else:
            info = _info_of(folder)
        return cls(folder, _with_images(model, folder, whole=info.spec is not None), info)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        cameras: Sequence[Camera],
        info: CaptureInfo | None = None,
        points: SparsePoints | None = None,
    ) -> Self:
        """Write the cameras into the capture's folder, and `capture.json` where `info` is given.

        The images are written by the caller, before this. `capture.json` is the last file: a capture that has it is
        complete.

        Args:
            folder: that holds `images/`.
            cameras: N views, named as the images.
            info: contents of `capture.json`.
            points: sparse points, of which stereo takes the range of depths.
        """
        folder = Path(folder)
        model = SparseModel(tuple(sorted(cameras, key=lambda camera: camera.name)), points or SparsePoints())
        write_model(folder / "sparse", model)
        if info is not None:
            write_json(folder / cls.INFO, info.to_json())
        return cls(folder, model, info or _info_of(folder))

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """N cameras in the order of their image names."""
        return self.model.cameras

    @cached_property
    def image_paths(self) -> tuple[Path, ...]:
        """N image files, in the order of the cameras."""
        return tuple(self.folder / "images" / camera.name for camera in self.cameras)

    @cached_property
    def mask_paths(self) -> tuple[Path, ...]:
        """N class-id masks, in the order of the cameras; they may be missing."""
        plain = [PurePosixPath(camera.name).with_suffix(".png") for camera in self.cameras]
        shared = Counter(plain)  # a.jpg and a.png: a.jpg.png and a.png.png, as COLMAP has it
        names = (
            name if shared[name] == 1 else PurePosixPath(f"{camera.name}.png")
            for name, camera in zip(plain, self.cameras, strict=True)
        )
        return tuple(self.folder / "masks" / name for name in names)

    @property
    def scan_path(self) -> Path:
        return self.folder / self.SCAN

    @property
    def labels_path(self) -> Path:
        return self.folder / self.LABELS

    @property
    def head_path(self) -> Path:
        return self.folder / self.HEAD


def _with_images(model: SparseModel, folder: Path, whole: bool) -> SparseModel:
    """The views whose images are there, by the names of the files; raises `InputError` where a needed one isn't."""
    images = folder / "images"
    files = _ImageFiles(images)
    cameras, index, missing = [], [], []
    for i, camera in enumerate(model.cameras):
        name = files.find(camera.name)
        if name is None:
            missing.append(camera.name)
        else:
            cameras.append(camera if name == camera.name else replace(camera, name=name))
            index.append(i)
    if missing and (whole or not cameras):
        count = "" if whole else f", as are all {len(missing)} of the model; names there are paths below images/"
        raise InputError(f"image is missing: {images / missing[0]}{count}; its camera is in {folder / 'sparse'}")
    if missing:
        names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        warn_once(
            f"{images}: {len(missing)} of the {len(model.cameras)} images of the COLMAP model are not there ({names}); "
            f"the other {len(cameras)} are used"
        )
    elif all(camera is named for camera, named in zip(model.cameras, cameras, strict=True)):
        return model  # as nearly always
    order = sorted(range(len(cameras)), key=lambda i: cameras[i].name)
    return model.with_views([cameras[i] for i in order], [index[i] for i in order])


class _ImageFiles:
    """The files below `images/`, found by the names that a COLMAP model has for them.

    A model may have been written on another system: with backslashes between folders, in other case, or with letters
    composed in another way. An exact name comes first.
    """

    def __init__(self, images: Path) -> None:
        self._images = images

    @cached_property
    def _like(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in list_files(self._images):
            name = path.relative_to(self._images).as_posix()
            found.setdefault(_on_any_system(name), []).append(name)
        return found

    def find(self, name: str) -> str | None:
        """The path below `images/`; None where there is none, or several would do."""
        if (self._images / name).is_file():
            return name
        like = self._like.get(_on_any_system(name), [])
        return like[0] if len(like) == 1 else None


def _on_any_system(name: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(name.replace("\\", "/")).as_posix()).casefold()


def _info_of(folder: Path) -> CaptureInfo:
    """Of a capture without `capture.json`: its folder's name."""
    return CaptureInfo(re.sub(r"[^A-Za-z0-9_\-]", "_", folder.resolve().name) or "capture")
