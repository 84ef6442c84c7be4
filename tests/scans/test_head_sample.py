"""Heads of data sets, whole and damaged."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from scans.head_sample import HeadSample
from tests.training.toy import toy_camera, toy_sample


class _Poison:
    """Unpickling it leaves a file."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("poisoned"),))


def test_sample_with_missing_or_foreign_parts() -> None:
    sample = {"__key__": "toy_0", **toy_sample(0)}
    assert len(HeadSample.from_sample(sample, "x.tar").images) == 3
    for key in ("view_01.jpg", "scan.npz", "capture.json"):
        with pytest.raises(InputError, match=rf"toy_0 in x\.tar.*{key}.* is missing"):
            HeadSample.from_sample({k: v for k, v in sample.items() if k != key}, "x.tar")
    with pytest.raises(InputError, match="damaged sample toy_0"):
        HeadSample.from_sample({**sample, "scan.npz": pickle.dumps(_Poison())}, "x.tar")
    objects = io.BytesIO()
    np.savez(objects, vertices=np.array([_Poison()], object))
    with pytest.raises(InputError, match="damaged sample toy_0"):  # pickled inside of an NPZ file
        HeadSample.from_sample({**sample, "scan.npz": objects.getvalue()}, "x.tar")
    for name in ("../../toy_0", "/etc/toy_0", "a b", ""):
        with pytest.raises(InputError, match="no usable id"):
            HeadSample.from_sample({**sample, "__key__": name}, "x.tar")
    assert not Path("poisoned").exists()
    HeadSample.from_sample({**sample, "toy.pkl": pickle.dumps(_Poison()), "toy.pyd": b"x"}, "x.tar")  # not read
    assert not Path("poisoned").exists()
    head = HeadSample.from_sample({**sample, "view_01.jpg": b"nothing"}, "x.tar")
    with pytest.raises(InputError, match=r"damaged image: view_01\.jpg of sample toy_0"):
        head.pixels()


def test_image_of_another_shape_is_refused() -> None:
    head = HeadSample.from_sample({"__key__": "toy_0", **toy_sample(0)}, "x.tar")
    camera = toy_camera(0, 3)
    wide = camera.resized(camera.width * 2, camera.height)
    other = HeadSample(head.id, (wide, *head.cameras[1:]), head.images, head.image_names, head.scan)
    with pytest.raises(InputError, match="another shape"):
        other.pixels()
