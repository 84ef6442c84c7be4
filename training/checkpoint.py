"""Writing checkpoints whole or not at all, and reading them without running anything that is in them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from capture import InputError, write_bytes
from training.module import SCHEMA_VERSION, SkinLabeller, check_backbone
from training.prepare import Preparation


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside and renames; Lightning's own leaves half a file on a full disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write to `path`. Raises `InputError` where the disk is full or the folder can't be written."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_bytes(Path(path), buffer.getvalue())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The tensors and plain values of a checkpoint. Raises `InputError` where it is missing or holds anything else."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"checkpoint is missing: {path}; train one with `python -m training fit`")
    try:
        with warnings.catch_warnings():  # about odd pickles: they are refused all the same
            warnings.simplefilter("ignore", UserWarning)
            value = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InputError(
            f"{path} is damaged or holds more than tensors and plain values; it was not loaded, as that could run code"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise InputError(f"damaged checkpoint: {path} ({(str(error) or repr(error)).splitlines()[0]})") from None
    if not isinstance(value, dict) or not isinstance(value.get("labeller"), dict) or "state_dict" not in value:
        raise InputError(f"{path} is no checkpoint of a skin labeller; train one with `python -m training fit`")
    return value


def load_labeller(path: Path) -> SkinLabeller:
    """The trained labeller, ready to predict, with its `preparation`. Raises `InputError` if the file is unusable."""
    value = read_checkpoint(path)
    description = value["labeller"]
    version = description.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}; train it again")
    options = {key: item for key, item in value.get("hyper_parameters", {}).items() if not key.startswith("_")}
    try:
        labeller = SkinLabeller(**options)
        preparation = Preparation.from_json(description["preparation"])
        labeller.build(preparation, description["channels"], description.get("token_channels", 0))
        labeller.load_state_dict(value["state_dict"])
        labeller.training_heads = description.get("training_heads")
    except (TypeError, KeyError, AttributeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} doesn't fit this program ({str(error).splitlines()[0]}); train it again") from None
    assert labeller.preparation is not None
    check_backbone(description, labeller.preparation)
    return labeller.eval()
