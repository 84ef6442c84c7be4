"""One asset, as its manifest describes it, and the kinds of assets.

    {"kind": "skin", "id": "mine/anna", "files": {"diffuse": "anna.png"}, "licence": "CC0-1.0",
     "author": "...", "source": "https://...", "tags": ["young"], "weight": 1}

A manifest is a file `asset.json` in a folder of its own; paths of files are relative to that folder.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from assets.library.images import image_problem
from capture import InputError, read_json
from capture.files import sha256_of
from capture.listing import find_file

MANIFEST = "asset.json"
IMAGES = ("diffuse", "normal", "bump", "specular", "ambient_occlusion", "displacement", "image")
"""Roles of files that are images."""


@dataclass(frozen=True)
class Kind:
    """The files that an asset of a kind consists of.

    Attributes:
        needed: roles of files that every asset of the kind has.
        optional: roles that it may have.
        base_mesh: mesh of a head model that it fits; "" for any.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    base_mesh: str = ""


_MAPS = ("normal", "bump", "specular", "ambient_occlusion", "displacement")
_PROXY = Kind(("mesh", "fit", "diffuse"), _MAPS, "hm08")

KINDS: dict[str, Kind] = {
    "skin": Kind(("diffuse",), _MAPS, "hm08"),
    "hair": _PROXY,
    "garment": _PROXY,
    "headwear": _PROXY,
    "eyebrows": _PROXY,
    "eyelashes": _PROXY,
    "eye": Kind(("diffuse",), _MAPS),
    "hdri": Kind(("image",)),
}
"""Kinds of assets. A new one is a row here, and the slot of a component in `generator.spec.HeadSpec`."""


@dataclass(frozen=True)
class Asset:
    """An asset and where it lies.

    Attributes:
        kind: a key of `KINDS`.
        id: unique in a library, such as "makehuman/young_asian_male".
        files: role -> path relative to `folder`.
        licence: SPDX name where there is one, such as "CC0-1.0".
        folder: of the manifest.
        author, source: for credits; may be empty.
        tags: free words.
        weight: in drawing, against the others of its kind.
    """

    kind: str
    id: str
    files: Mapping[str, str]
    licence: str
    folder: Path
    author: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    weight: float = 1.0

    def path(self, role: str) -> Path:
        """The file of a role; raises `InputError` where the asset has none."""
        if role not in self.files:
            raise InputError(f"asset {self.id!r} ({self.folder / MANIFEST}) has no file for {role!r}")
        return self.folder / self.files[role]

    def problems(self, deep: bool = False) -> list[str]:
        """Problems of its files, a line each; `deep` reads images to their end."""
        problems = []
        for role in self.files:
            path = self.path(role)
            if not path.is_file():
                problems.append(f"its {role} file is missing: {path}")
            elif problem := _file_problem(path, role, deep):
                problems.append(f"its {role} file can't be read: {path} ({problem})")
        return problems

    def with_files_that_are_there(self) -> tuple[Asset, list[str]]:
        """The asset with files that are spelt in other case found, and without maps that are missing and not needed.

        Returns also a line for each such file.
        """
        files, notes = dict(self.files), []
        for role, name in self.files.items():
            found = find_file(self.folder, name)
            if found is None and role in KINDS[self.kind].optional:
                del files[role]
                notes.append(f"its {role} file is missing, and done without: {self.folder / name}")
            elif found is not None and found != self.folder / name:
                files[role] = found.relative_to(self.folder).as_posix()
                notes.append(f"its {role} file {name} is taken to be {files[role]}")
        return (replace(self, files=files) if notes else self), notes

    @cached_property
    def sha256(self) -> str:
        """Of the lines `<role> <SHA-256 of the file>`, sorted by role."""
        lines = [f"{role} {sha256_of(self.path(role))}\n" for role in sorted(self.files)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def credit(self) -> dict[str, str]:
        """The entry of a capture that shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "licence": self.licence,
            "author": self.author,
            "source": self.source,
            "sha256": self.sha256,
        }

    def to_json(self) -> dict[str, Any]:
        """The manifest."""
        return {
            "kind": self.kind,
            "id": self.id,
            "files": dict(self.files),
            "licence": self.licence,
            "author": self.author,
            "source": self.source,
            "tags": list(self.tags),
            "weight": self.weight,
        }


def _file_problem(path: Path, role: str, deep: bool) -> str:
    if role in IMAGES:
        return image_problem(path, deep)
    try:
        with path.open("rb") as file:
            return "" if file.read(1) else "it is empty"
    except OSError as error:
        return error.strerror or type(error).__name__


def read_asset(path: Path) -> Asset:
    """The asset of a manifest; raises `InputError` that names the manifest and what doesn't fit."""
    value = read_json(path, "the manifest of an asset")
    if not isinstance(value, dict):
        raise InputError(f"{path}: an object is needed, got {type(value).__name__}")
    known = {"kind", "id", "files", "licence", "author", "source", "tags", "weight"}
    if unknown := set(value) - known:
        raise InputError(f"{path}: unknown {', '.join(sorted(unknown))}; use {', '.join(sorted(known))}")
    texts = {name: _text(path, value, name) for name in ("kind", "id", "licence", "author", "source")}
    if texts["kind"] not in KINDS:
        raise InputError(f"{path}: unknown kind {texts['kind']!r}; use one of {', '.join(KINDS)}")
    if not re.fullmatch(r"[^\W_][\w.\-]*(/[^\W_][\w.\-]*)*", texts["id"]):
        raise InputError(f"{path}: id {texts['id']!r}: use words of letters, digits, '_', '-', '.' with '/' between")
    if not texts["licence"]:
        raise InputError(f"{path}: the licence is missing; say under which licence it may be used, as in CC0-1.0")
    files = _files(path, value.get("files"), KINDS[texts["kind"]], texts["kind"])
    tags = value.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError(f"{path}: tags: a list of words is needed, got {tags!r}")
    weight = value.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight) or weight < 0:
        raise InputError(f"{path}: weight: a number from 0 on is needed, got {weight!r}")
    return Asset(files=files, folder=path.parent, tags=tuple(tags), weight=float(weight), **texts)


def _text(path: Path, value: Mapping[str, Any], name: str) -> str:
    text = value.get(name, "")
    if not isinstance(text, str):
        raise InputError(f"{path}: {name}: a text is needed, got {text!r}")
    if not text and name in ("kind", "id"):
        raise InputError(f"{path}: {name} is missing")
    return text.strip()


def _files(path: Path, files: Any, kind: Kind, name: str) -> dict[str, str]:
    if not isinstance(files, dict) or not all(isinstance(file, str) and file for file in files.values()):
        raise InputError(f"{path}: files: an object of role: path is needed, got {files!r}")
    allowed = (*kind.needed, *kind.optional)
    if missing := [role for role in kind.needed if role not in files]:
        raise InputError(f"{path}: files: a {name} needs {', '.join(missing)}")
    if strangers := sorted(set(files) - set(allowed)):
        raise InputError(f"{path}: files: unknown {', '.join(strangers)}; a {name} has {', '.join(allowed)}")
    for role, file in files.items():
        # by its words alone: a link may lead anywhere, the manifest may not
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts or "\\" in file or ":" in file:
            raise InputError(f"{path}: files: {role}: {file!r} leaves the asset's folder; copy the file into it")
    return dict(files)
