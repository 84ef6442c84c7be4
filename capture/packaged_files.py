"""Files inside packages that are installed for their data, and never imported."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from capture.errors import InputError


def packaged_file(package: str, name: str, what: str, cure: str) -> Path:
    """The path of a file of an installed package.

    Args:
        package: the distribution's name.
        name: of the file, from the folder that packages are installed in.
        what: it is, for errors.
        cure: what to do about it, for errors.

    Raises:
        InputError: where the package or the file is not there.
    """
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"no {what}: it comes in the package {package}; {cure}") from None
    path = Path(str(distribution.locate_file(name)))
    if not path.is_file():
        raise InputError(f"no {what}: {path} is missing; {cure}")
    return path
