"""Class masks of a capture: the ids of `PixelClass` that its renders have per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError
from capture.runtime.warnings_once import warn_once
from scans.images.decoding import decode_classes


def read_class_masks(capture: Capture) -> list[NDArray[np.uint8] | None]:
    """Per view the class ids (H, W), None where there is no mask.

    What people keep in `masks/` beside photographs is something else: foreground masks of 0 and 255. In a capture that
    was neither rendered nor blended here, masks that hold no class ids are passed over, all of them, with a warning.

    Raises:
        InputError: where a mask of a capture that was made here is damaged, or not of its camera's size.
    """
    ours = capture.info.spec is not None or (capture.folder / Capture.BLEND).is_file()
    masks: list[NDArray[np.uint8] | None] = []
    for path, camera in zip(capture.mask_paths, capture.cameras, strict=True):
        try:
            mask = decode_classes(path.read_bytes(), str(path)) if path.is_file() else None
            if mask is not None and mask.shape != (camera.height, camera.width):
                raise InputError(f"mask {path} is not of its camera's size; generate the capture again")
        except InputError:
            if ours:
                raise
            warn_once(f"{capture.folder / 'masks'} holds no class masks (see {path.name}); they are passed over")
            return [None] * len(capture.cameras)
        masks.append(mask)
    return masks
