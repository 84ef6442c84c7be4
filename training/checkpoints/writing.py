"""Writing checkpoints whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from capture import write_bytes


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside and renames; Lightning's own leaves half a file on a full disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write to `path`. Raises `InputError` where the disk is full or the folder can't be written."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_bytes(Path(path), buffer.getvalue())
