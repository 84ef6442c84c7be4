"""Masks of a labelled scan in the images of its capture."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError, atomic_path
from scans.images.decoding import image_size
from scans.labelled import Labelled
from scans.mask_options import LABELS, SCAN, SKIN, MaskOptions, mask_paths, parts_of
from scans.meshes.repair import repair
from scans.pictures.mask_renderer import MaskRenderer
from scans.predictions import PARTS, Prediction
from scans.scaling import scaled_camera

log = logging.getLogger(__name__)

FOLDER = "masks"


def write_masks(labelled: Labelled, options: MaskOptions) -> Path:
    """Write a mask an image and class, 255 where the image shows the class and 0 elsewhere, of the image's size.

    They are seen through the cameras' own lenses, distortion and all, with what of the scan hides what. Former masks
    are removed first.

    Args:
        labelled: a capture's scan with its prediction.
        options: classes and names.

    Returns:
        The folder: `<class>/<path of the image>`, called as `options.mask_names` says.

    Raises:
        InputError: where the prediction has no parts and a class needs them, or two masks would have one name.
    """
    capture, prediction = labelled.capture, labelled.prediction
    folder = labelled.folder / FOLDER
    if options.need_parts and prediction.part is None:
        raise InputError(
            f"`classes` {','.join(options.classes)}: this labeller predicts no parts; skin and scan are what it tells"
        )
    paths = mask_paths((camera.name for camera in capture.cameras), options.mask_names)
    repaired = repair(labelled.scan)
    members = [repaired.gather(class_share(prediction, name)) for name in options.classes]
    shares = np.stack(members).astype(np.float32)
    renderer = MaskRenderer(repaired.scan)
    shutil.rmtree(folder, ignore_errors=True)
    for camera, image, path in zip(capture.cameras, capture.image_paths, paths, strict=True):
        masks = renderer.render(_fitted(scaled_camera(camera, labelled.camera_scale), image), shares)
        for name, mask in zip(options.classes, masks, strict=True):
            with atomic_path(folder / name / path) as temporary:
                Image.fromarray(mask.astype(np.uint8) * 255).save(temporary, format="PNG")
    log.info("%s: %d masks of %s", folder, len(paths) * len(options.classes), ", ".join(options.classes))
    return folder


def class_share(prediction: Prediction, name: str) -> NDArray[np.float32]:
    """(V,) how far a vertex belongs to a class: its probability of being skin, 1 or 0 of the parts.

    Skin is what the images show, as a mask of them has it, be the scan right there or not; where the labeller doesn't
    predict that, its labels.
    """
    visible = prediction.visible_probability
    share = np.zeros(len(prediction.skin), np.float32)
    for part in parts_of(name):
        if part == SCAN:
            share[:] = 1
        elif part == LABELS or (part == SKIN and visible is None):
            share = np.maximum(share, prediction.probability)
        elif part == SKIN:
            assert visible is not None
            share = np.maximum(share, visible)
        else:
            share[prediction.part == PARTS.index(part)] = 1
    return share


def _fitted(camera: Camera, image: Path) -> Camera:
    """The camera of the image in its own size."""
    width, height = image_size(image, str(image))
    if (width, height) == (camera.width, camera.height):
        return camera
    return replace(camera.resized(width, height), name=camera.name)
