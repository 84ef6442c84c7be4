"""A head to look at: a ball with a nose, skin on its face, and cameras whose images show its outline."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Mesh, Scan
from scans.head_sample import HeadSample
from scans.predictions import PARTS, Prediction
from scans.viewer.cameras import viewed_cameras
from scans.viewer.view import View, ViewedScan, ViewedTemplate
from tests.helpers import looking_at_origin

RADIUS = 0.1
GREEN = (20, 200, 40)


def ball(rings: int = 40, sectors: int = 60, radius: float = RADIUS) -> Mesh:
    """A ball around the origin, faces outward."""
    polar, turn = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(sectors) / sectors * 2 * np.pi, indexing="ij")
    places = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1)
    row, column = np.meshgrid(np.arange(rings - 1), np.arange(sectors), indexing="ij")
    a, b = row * sectors + column, row * sectors + (column + 1) % sectors
    c, d = a + sectors, b + sectors
    faces = np.concatenate([np.stack([a, c, b], -1)[1:].reshape(-1, 3), np.stack([b, c, d], -1)[:-1].reshape(-1, 3)])
    return Mesh(radius * places.reshape(-1, 3), faces.astype(np.int32))


def head_scan() -> tuple[Scan, Prediction]:
    """A ball that looks towards -y: the probability of skin falls from 1 at the chin to 0 at the top of the face.

    The back is no skin. Its own colour is red below and yellow above.
    """
    mesh = ball()
    x, y, z = (mesh.vertices / RADIUS).T
    colours = np.where(z[:, None] > 0, np.uint8([230, 210, 30]), np.uint8([200, 20, 20]))
    probability = np.where(y < 0.05, np.clip((1 - z) / 2, 0, 1), 0)
    part = np.where(probability > 0.5, PARTS.index("skin"), PARTS.index("scalp_hair")).astype(np.uint8)
    distance = np.where(np.abs(x) < 0.5, 0.0, 30.0)
    distance[np.abs(x) > 0.98] = np.nan
    scan = Scan(mesh.vertices, mesh.faces, colours)
    return scan, Prediction(probability, probability > 0.5, "", distance, part, np.ones(len(part)))


def head_sample(scan: Scan) -> HeadSample:
    """Cameras around the face, one of them with a strong distortion; images are green, the head in them is black."""
    cameras = [looking_at_origin(f"view_{i}.png", angle, 160) for i, angle in enumerate((-35.0, 0.0, 40.0))]
    bent = cameras[2]
    params = (*bent.focal, *bent.principal, -0.25, 0.05, 0.003, -0.002)
    cameras[2] = Camera(bent.name, bent.width, bent.height, "OPENCV", params, bent.rotation, bent.translation)
    images = [_image(camera, scan) for camera in cameras]
    return HeadSample("ball", tuple(cameras), tuple(images), tuple(each.name for each in cameras), scan)


def _image(camera: Camera, scan: Scan) -> bytes:
    image = np.full((camera.height, camera.width, 3), np.uint8(GREEN))
    rays = camera.rays(np.stack(np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5), axis=-1))
    along = -rays @ camera.centre  # the ball is where a ray comes nearer to the origin than its radius
    apart = np.linalg.norm(camera.centre + along[..., None] * rays, axis=-1)
    image[apart < RADIUS] = 0
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def view(turned: NDArray[np.float64] | None = None, **more: object) -> View:
    """The ball with its prediction and cameras, in a frame that is turned by (3, 3)."""
    scan, prediction = head_scan()
    head = head_sample(scan)
    if turned is not None:
        scan = Scan(scan.vertices @ turned.T, scan.faces, scan.colours)
        cameras = tuple(
            Camera(
                each.name, each.width, each.height, each.model, each.params, each.rotation @ turned.T, each.translation
            )
            for each in head.cameras
        )
        head = HeadSample("ball", cameras, head.images, head.image_names, scan)
    return View("the ball", ViewedScan(scan, prediction), cameras=viewed_cameras(head), **more)  # type: ignore[arg-type]


def template() -> ViewedTemplate:
    """A smaller ball half out of the face, far from the scan above the middle, near below it."""
    mesh = ball(20, 30, 0.06)
    vertices = mesh.vertices + np.array([0.0, -0.06, 0.0])
    far = np.where(mesh.vertices[:, 2] > 0, 5.0, 0.0)
    return ViewedTemplate(Mesh(vertices, mesh.faces), far, np.ones(len(vertices), bool), "scan")
