"""Reading checkpoints without running anything that is in them. Imports no Lightning."""

from __future__ import annotations

import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from capture import InputError


def read_checkpoint_file(path: Path, key: str, what: str, cure: str) -> dict[str, Any]:
    """The tensors and plain values of a checkpoint.

    Args:
        path: of the file.
        key: of the dictionary that describes this kind of checkpoint.
        what: kind of model, in errors.
        cure: what errors tell the user to do.

    Raises:
        InputError: where the file is missing, is no such checkpoint, or holds more than tensors and plain values.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a checkpoint in it, such as checkpoints/last.ckpt")
    if not path.is_file():
        raise InputError(f"checkpoint is missing: {path}; {cure}")
    try:
        with warnings.catch_warnings():  # about odd pickles: they are refused all the same
            warnings.simplefilter("ignore", UserWarning)
            value = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InputError(
            f"{path} is damaged or holds more than tensors and plain values; it was not loaded, as that could run code"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError) as error:
        tells = isinstance(error, RuntimeError | OSError) and str(error)
        reason = str(error).splitlines()[0] if tells else "no archive"
        raise InputError(f"damaged checkpoint, or none at all: {path} ({reason}); {cure}") from None
    if not isinstance(value, dict) or not isinstance(value.get(key), dict) or "state_dict" not in value:
        raise InputError(f"{path} is no checkpoint of {what}; {cure}")
    return value
