"""Files of each format made from parameters of its own, and where its own formulas see points.

Nothing here comes from the program: a format's projection is written as the format defines it, in its own names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
from scipy.spatial.transform import Rotation

SIZES = {"wide.png": (64, 48), "tall.png": (48, 64)}
POINTS = 6


@dataclass(frozen=True)
class Drawn:
    """What a test draws: two views that look at points about the origin."""

    rng: np.random.Generator
    points: np.ndarray

    @classmethod
    def of(cls, seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        return cls(rng, rng.uniform(-0.1, 0.1, (POINTS, 3)))

    def number(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """World to camera (x right, y down, z forward), and the camera's place."""
        rotation = Rotation.random(random_state=int(self.rng.integers(2**31))).as_matrix()
        return rotation, -rotation.T @ np.array(
            [self.number(-0.05, 0.05), self.number(-0.05, 0.05), self.number(0.6, 1)]
        )

    def coefficients(self, names: str) -> dict[str, float]:
        """k by their names up to 0.1, p up to 0.005."""
        return {name: self.number(-1, 1) * (0.005 if name[0] in "pt" else 0.1) for name in names.split()}


@dataclass(frozen=True)
class Native:
    """Files by their names below a folder, the one that is imported, and the pixels (POINTS, 2) by image."""

    files: Mapping[str, str]
    file: str
    pixels: Mapping[str, np.ndarray]
    points: np.ndarray


def radial(r2: np.ndarray, *k: float) -> np.ndarray:
    return 1 + sum(each * r2 ** (power + 1) for power, each in enumerate(k))


def down(points: np.ndarray, rotation: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x / z and y / z of a camera with y down and z forward."""
    local = (points - centre) @ rotation.T
    return local[:, 0] / local[:, 2], local[:, 1] / local[:, 2]


def opengl(points: np.ndarray, to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of a camera that looks along -z with y up, by its matrix to the world."""
    local = np.linalg.inv(np.vstack([to_world[:3], [0, 0, 0, 1]])) @ np.c_[points, np.ones(len(points))].T
    return local[0] / -local[2], -local[1] / -local[2]


def opengl_matrix(rotation: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Camera to world of the camera above: its x, its -y and its -z axis in columns."""
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = rotation[0], -rotation[1], -rotation[2], centre
    return matrix


def words(values: Any) -> str:
    return " ".join(repr(float(each)) for each in np.ravel(values))


def metashape(drawn: Drawn, exact: bool) -> Native:
    """The manual's formula: P1 with r^2 + 2 x^2, an offset of the principal point, B1 and B2 on x."""
    scale, turn, shift = drawn.number(0.5, 3), Rotation.random(random_state=3).as_matrix(), drawn.rng.normal(size=3)
    sensors, cameras, pixels = "", "", {}
    for number, (image, (w, h)) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given = drawn.coefficients("k1 k2 k3 p1 p2" if exact else "k1 k2 k3 k4 p1 p2")
        given |= {
            "f": drawn.number(70, 90),
            "cx": drawn.number(-2, 2),
            "cy": drawn.number(-2, 2),
            "b1": drawn.number(-1, 1),
        }
        given["b2"] = 0.0 if exact else drawn.number(-1, 1)
        tags = "".join(f"<{name}>{value!r}</{name}>" for name, value in given.items() if value)
        first = tags.replace(f"<f>{given['f']!r}", "<f>7.8e-005")  # what it began with, which doesn't count
        size = f'<resolution width="{w}" height="{h}"/>'
        off = '<property name="layer_index" value="0"/><property name="rolling_shutter" value="false"/>'
        off += '<property name="rolling_shutter_flags" value="63"/><rotation fixed="1"/><location fixed="1"/>'
        sensors += (
            f'<sensor id="{number}" type="frame">{size}{off}<calibration type="frame" class="initial">{size}{first}'
        )
        sensors += f'</calibration><calibration type="frame" class="adjusted">{size}{tags}</calibration></sensor>'
        to_chunk = np.eye(4)
        to_chunk[:3, :3], to_chunk[:3, 3] = (rotation @ turn).T, turn.T @ (centre - shift) / scale
        cameras += f'<camera id="{number}" sensor_id="{number}" component_id="0" label="{image[:-4]}">'
        cameras += f"<transform>{words(to_chunk)}</transform><orientation>6</orientation></camera>"
        chunk = (drawn.points - shift) @ turn / scale  # X = s R x + t
        local = (np.c_[chunk, np.ones(len(chunk))] @ np.linalg.inv(to_chunk).T)[:, :3]
        x, y = local[:, 0] / local[:, 2], local[:, 1] / local[:, 2]
        r2 = x * x + y * y
        bend = radial(r2, given["k1"], given["k2"], given["k3"], given.get("k4", 0))
        xd = x * bend + given["p1"] * (r2 + 2 * x * x) + 2 * given["p2"] * x * y
        yd = y * bend + given["p2"] * (r2 + 2 * y * y) + 2 * given["p1"] * x * y
        u = w * 0.5 + given["cx"] + xd * given["f"] + xd * given["b1"] + yd * given["b2"]
        pixels[image] = np.stack([u, h * 0.5 + given["cy"] + yd * given["f"]], axis=1)
    transform = f"<transform><rotation>{words(turn)}</rotation><translation>{words(shift)}</translation>"
    transform += f"<scale>{scale!r}</scale></transform>"
    text = f"""<?xml version="1.0"?><document version="2.0.0"><chunk><sensors>{sensors}</sensors>
<components><component id="0">{transform}</component></components><cameras>{cameras}</cameras>{transform}
</chunk></document>"""
    return Native({"cameras.xml": text}, "cameras.xml", pixels, drawn.points)


def photoscan(drawn: Drawn) -> Native:
    """The older calibration: fx, fy, an absolute principal point, a skew; p1 and p2 as OpenCV has them."""
    sensors, cameras, pixels = "", "", {}
    for number, (image, (w, h)) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given = drawn.coefficients("k1 k2 k3 p1 p2") | {"fx": drawn.number(70, 90), "fy": drawn.number(70, 90)}
        given |= {"cx": w / 2 + drawn.number(-2, 2), "cy": h / 2 + drawn.number(-2, 2)}
        tags = "".join(f"<{name}>{value!r}</{name}>" for name, value in given.items())
        size = f'<resolution width="{w}" height="{h}"/>'
        sensors += f'<sensor id="{number}">{size}<calibration class="adjusted">{size}{tags}</calibration></sensor>'
        matrix = np.vstack([np.c_[rotation.T, centre], [0, 0, 0, 1]])
        cameras += f'<camera id="{number}" sensor_id="{number}" label="{image}" enabled="1">'
        cameras += f"<transform>{words(matrix)}</transform></camera>"
        x, y = down(drawn.points, rotation, centre)
        pixels[image] = opencv(x, y, given)
    text = (
        f'<document version="1.2.0"><chunk><sensors>{sensors}</sensors><cameras>{cameras}</cameras></chunk></document>'
    )
    return Native({"old.xml": text}, "old.xml", pixels, drawn.points)


def opencv(x: np.ndarray, y: np.ndarray, given: Mapping[str, float]) -> np.ndarray:
    """OpenCV's documentation: p2 with r^2 + 2 x^2."""
    k1, k2, k3, p1, p2 = (given.get(name, 0.0) for name in ("k1", "k2", "k3", "p1", "p2"))
    r2 = x * x + y * y
    xd = x * radial(r2, k1, k2, k3) + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    yd = y * radial(r2, k1, k2, k3) + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([given["fx"] * xd + given["cx"], given["fy"] * yd + given["cy"]], axis=1)


RC_OLD = "name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2"
RC_NEW = "name,x,y,alt,yaw,pitch,roll,f_35mm,px_norm,py_norm,k1,k2,k3,k4,t1,t2"


def reality_capture_lens(drawn: Drawn) -> dict[str, float]:
    given = {"f": drawn.number(34, 44), "px": drawn.number(-0.03, 0.03), "py": drawn.number(-0.03, 0.03)}
    return given | drawn.coefficients("k1 k2 k3 k4 t1 t2")


def reality_capture_pixels(
    x: np.ndarray, y: np.ndarray, given: Mapping[str, float], size: tuple[int, int]
) -> np.ndarray:
    """In shares of the longer side, f of 36 mm film; t1 with r^2 + 2 x^2."""
    r2 = x * x + y * y
    bend = radial(r2, given["k1"], given["k2"], given["k3"], given["k4"])
    xd = x * bend + given["t1"] * (r2 + 2 * x * x) + 2 * given["t2"] * x * y
    yd = y * bend + given["t2"] * (r2 + 2 * y * y) + 2 * given["t1"] * x * y
    share = np.stack([given["f"] / 36 * xd + given["px"], given["f"] / 36 * yd + given["py"]], axis=1)
    return share * max(size) + np.array(size) / 2


def reality_capture_csv(drawn: Drawn, header: str) -> Native:
    """A camera that looks straight down, image up along y, then rolled, pitched, and turned clockwise from above."""
    lines, pixels = [f"#{header}"], {}
    for image, size in SIZES.items():
        rotation, centre = drawn.pose()
        matrix = opengl_matrix(rotation, centre)
        turned, pitch, roll = Rotation.from_matrix(matrix[:3, :3]).as_euler("ZXY", degrees=True)
        given = reality_capture_lens(drawn)
        lines.append(",".join([image, *map(repr, map(float, [*centre, -turned, pitch, roll, *given.values()]))]))
        pixels[image] = reality_capture_pixels(*opengl(drawn.points, matrix), given, size)
    return Native({"cameras.csv": "\n".join(lines)}, "cameras.csv", pixels, drawn.points)


def sidecar(given: Mapping[str, float], pose: Mapping[str, str], *, elements: bool, model: str = "brown4t2") -> str:
    values = {"FocalLength35mm": given["f"], "PrincipalPointU": given["px"], "PrincipalPointV": given["py"]}
    told = {name: repr(value) for name, value in values.items()} | {"DistortionModel": model, "Skew": "0"}
    long = dict(pose) | {"DistortionCoeficients": words([given[name] for name in ("k1", "k2", "k3", "k4", "t1", "t2")])}
    inside = "".join(f"<xcr:{name}>{value}</xcr:{name}>" for name, value in long.items()) if elements else ""
    told |= {} if elements else long
    attributes = " ".join(f'xcr:{name}="{value}"' for name, value in told.items())
    return f"""<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description about="other"/>
<rdf:Description xmlns:xcr="http://www.capturingreality.com/ns/xcr/1.1#" {attributes}>{inside}</rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def reality_capture_xmp(drawn: Drawn) -> Native:
    """Rows of a rotation to axes with y down, and the camera's place."""
    files, pixels = {}, {}
    for number, (image, size) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given, pose = reality_capture_lens(drawn), {"Rotation": words(rotation), "Position": words(centre)}
        files[f"images/{image[:-4]}.xmp"] = sidecar(given, pose, elements=number == 0)
        pixels[image] = reality_capture_pixels(*down(drawn.points, rotation, centre), given, size)
    return Native(files, "", pixels, drawn.points)


def reality_capture_omega(drawn: Drawn) -> Native:
    """Rx(omega) Ry(phi) Rz(kappa), whose rows are z, x and -y of the camera, columns -z, x and y of the world."""
    lines, files, pixels = ["#cameras 2", "#name,x,y,z,omega,phi,kappa"], {}, {}
    for image, size in SIZES.items():
        rotation, centre = drawn.pose()
        world = {"-z": [0, 0, -1], "x": [1, 0, 0], "y": [0, 1, 0]}
        m = np.array([[np.dot(axis, w) for w in world.values()] for axis in (rotation[2], rotation[0], -rotation[1])])
        angles = Rotation.from_matrix(m).as_euler("XYZ", degrees=True)
        lines.append(",".join([image, *map(repr, map(float, [*centre, *angles]))]))
        given = reality_capture_lens(drawn)
        files[f"images/{image[:-4]}.xmp"] = sidecar(given, {}, elements=False)
        pixels[image] = reality_capture_pixels(*down(drawn.points, rotation, centre), given, size)
    return Native({"poses.csv": "\n".join(lines), **files}, "poses.csv", pixels, drawn.points)


def transforms(drawn: Drawn, nerfstudio: bool) -> Native:
    """Camera to world of OpenGL's cameras; nerfstudio's world is turned, and tells how."""
    applied = np.eye(4)
    applied[:3, :3], applied[:3, 3] = Rotation.random(random_state=5).as_matrix(), [0.3, 0.1, -0.2]
    frames, pixels, scale = [], {}, 2.5
    for image, (w, h) in SIZES.items():
        rotation, centre = drawn.pose()
        given = {"fl_x": drawn.number(70, 90), "fl_y": drawn.number(70, 90), "cx": w / 2 + drawn.number(-2, 2)}
        given |= {"cy": h / 2 + drawn.number(-2, 2), **drawn.coefficients("k1 k2 p1 p2"), "w": float(w), "h": float(h)}
        matrix = opengl_matrix(rotation, centre)
        pixels[image] = opencv(*opengl(drawn.points, matrix), given | {"fx": given["fl_x"], "fy": given["fl_y"]})
        if nerfstudio:
            matrix = applied @ matrix
            matrix[:3, 3] *= scale
        frames.append({"file_path": f"./images/{image}", "transform_matrix": matrix.tolist(), **given})
    file = {"camera_model": "OPENCV", "frames": frames, "aabb_scale": 16, "k1": 9.0}  # a frame's own k1 wins
    if nerfstudio:
        file |= {"applied_transform": applied[:3].tolist(), "applied_scale": scale}
    return Native({"transforms.json": json.dumps(file)}, "transforms.json", pixels, drawn.points)


def meshroom(drawn: Drawn, version: str) -> Native:
    """A focal length, a ratio of pixels and a principal point that mean something else in each version."""
    number = tuple(map(int, version.split(".")))
    views, intrinsics, poses, pixels = [], [], [], {}
    for key, (image, (w, h)) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given = drawn.coefficients("k1 k2 k3 p1 p2")
        cx, cy = w / 2 + drawn.number(-2, 2), h / 2 + drawn.number(-2, 2)
        one = {"intrinsicId": str(key), "width": str(w), "height": str(h), "sensorWidth": "8.0", "serialNumber": ""}
        absolute = number < (1, 2, 1)
        one["principalPoint"] = [repr(cx), repr(cy)] if absolute else [repr(cx - w / 2), repr(cy - h / 2)]
        one |= {"type": "pinhole", "distortionType": "brown"} if number >= (1, 2, 8) else {"type": "brown"}
        one["distortionParams"] = [repr(each) for each in given.values()]
        focal, ratio = drawn.number(70, 90), drawn.number(0.9, 1.1)
        if number < (1, 2, 0):
            fx = fy = focal
            one["pxFocalLength"] = repr(focal)
        elif number < (1, 2, 2):
            fx, fy = focal, focal * ratio
            one["pxFocalLength"] = [repr(fx), repr(fy)]
        else:
            one |= {"focalLength": repr(focal * 8.0 / w), "pixelRatio": repr(ratio)}
            fx, fy = (focal / ratio, focal) if number >= (1, 2, 11) else (focal, focal * ratio)
            if number < (1, 2, 5):
                fx, fy = focal, focal / ratio
        x, y = down(drawn.points, rotation, centre)
        pixels[image] = opencv(x, y, given | {"fx": fx, "fy": fy, "cx": cx, "cy": cy})
        by_column = [repr(float(rotation[row, column])) for column in range(3) for row in range(3)]
        transform = {"rotation": by_column, "center": [repr(float(each)) for each in centre]}
        poses.append({"poseId": f"9{key}", "pose": {"transform": transform, "locked": "0"}})
        path = f"C:\\shots\\{image}" if key else f"/mnt/shots/{image}"
        views.append({"viewId": f"7{key}", "poseId": f"9{key}", "intrinsicId": str(key), "path": path, "metadata": ""})
        intrinsics.append(one)
    seen = [
        {"observationId": f"7{key}", "x": [repr(each) for each in pixels[image][0].tolist()]}
        for key, image in enumerate(SIZES)
    ]
    structure = [{"landmarkId": "0", "X": [repr(each) for each in drawn.points[0].tolist()], "observations": seen}]
    views.append({"viewId": "1", "poseId": "1", "intrinsicId": "0", "path": "/mnt/shots/lost.png", "metadata": ""})
    file = {
        "version": version.split("."),
        "views": views,
        "intrinsics": intrinsics,
        "poses": poses,
        "structure": structure,
    }
    return Native({"cameras.sfm": json.dumps(file).replace("/", "\\/")}, "cameras.sfm", pixels, drawn.points)


def openmvg(drawn: Drawn) -> Native:
    """Types of intrinsics by numbers, whose names stand where they first occur; rotations by rows."""
    views, intrinsics, extrinsics, pixels = [], [], [], {}
    for key, (image, (w, h)) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given, focal = drawn.coefficients("k1 k2 k3 p1 p2"), drawn.number(70, 90)
        middle = [w / 2 + drawn.number(-2, 2), h / 2 + drawn.number(-2, 2)]
        data = {
            "width": w,
            "height": h,
            "focal_length": focal,
            "principal_point": middle,
            "disto_t2": list(given.values()),
        }
        value = {"polymorphic_id": 1 + 2**31 if key == 0 else 1, "ptr_wrapper": {"id": 2**31 + 9 + key, "data": data}}
        intrinsics.append({"key": key, "value": value | ({"polymorphic_name": "pinhole_brown_t2"} if key == 0 else {})})
        extrinsics.append({"key": 5 + key, "value": {"rotation": rotation.tolist(), "center": centre.tolist()}})
        data = {"local_path": "", "filename": image, "id_view": key, "id_intrinsic": key, "id_pose": 5 + key}
        views.append({"key": key, "value": {"polymorphic_id": 2**30, "ptr_wrapper": {"id": key, "data": data}}})
        x, y = down(drawn.points, rotation, centre)
        pixels[image] = opencv(x, y, given | {"fx": focal, "fy": focal, "cx": middle[0], "cy": middle[1]})
    lost = {"local_path": "", "filename": "lost.png", "id_view": 8, "id_intrinsic": 2**32 - 1, "id_pose": 2**32 - 1}
    views.append({"key": 8, "value": {"polymorphic_id": 2**30, "ptr_wrapper": {"id": 8, "data": lost}}})
    file = {
        "sfm_data_version": "0.3",
        "root_path": "",
        "views": views,
        "intrinsics": intrinsics,
        "extrinsics": extrinsics,
    }
    return Native({"sfm_data.json": json.dumps(file | {"structure": []})}, "sfm_data.json", pixels, drawn.points)


def opensfm(drawn: Drawn) -> Native:
    """All of the camera in shares of the longer side, about the middle; tracks beside it likewise."""
    cameras, shots, pixels, tracks = {}, {}, {}, ["OPENSFM_TRACKS_VERSION_v2"]
    for key, (image, (w, h)) in enumerate(SIZES.items()):
        rotation, centre = drawn.pose()
        given = drawn.coefficients("k1 k2 k3 p1 p2") | {
            "focal_x": drawn.number(1.1, 1.4),
            "focal_y": drawn.number(1.1, 1.4),
        }
        given |= {"c_x": drawn.number(-0.03, 0.03), "c_y": drawn.number(-0.03, 0.03)}
        cameras[f"v2 {key}"] = {"projection_type": "brown", "width": w, "height": h, **given}
        vector = Rotation.from_matrix(rotation).as_rotvec()
        shots[image] = {
            "rotation": vector.tolist(),
            "translation": (-rotation @ centre).tolist(),
            "camera": f"v2 {key}",
        }
        local = Rotation.from_rotvec(vector).apply(drawn.points) - rotation @ centre
        native = {"fx": given["focal_x"], "fy": given["focal_y"], "cx": given["c_x"], "cy": given["c_y"]}
        share = opencv(local[:, 0] / local[:, 2], local[:, 1] / local[:, 2], given | native)
        pixels[image] = share * max(w, h) + [w / 2, h / 2]
        tracks += [
            f"{image}\t{i}\t{i}\t{x!r}\t{y!r}\t0.1\t255\t0\t0\t-1\t-1" for i, (x, y) in enumerate(share.tolist())
        ]
    points = {str(i): {"coordinates": each, "color": [1.0, 2.0, 3.0]} for i, each in enumerate(drawn.points.tolist())}
    other = {"cameras": {}, "shots": {}, "points": {}}
    files = {"reconstruction.json": json.dumps([other, {"cameras": cameras, "shots": shots, "points": points}])}
    return Native(files | {"tracks.csv": "\n".join(tracks)}, "reconstruction.json", pixels, drawn.points)


def bundler(drawn: Drawn) -> Native:
    """The format's manual: P = R X + t, p = -P / P.z, f r(p) p from the middle, x right, y up."""
    lines, pixels, names = ["# Bundle file v0.3", f"3 {POINTS}"], {}, []
    turned = np.diag([1, -1, -1])
    seen: list[list[str]] = [[] for _ in range(POINTS)]
    lines += ["0 0 0"] * 5  # one that was not aligned
    for key, (image, (w, h)) in enumerate(SIZES.items(), 1):
        rotation, centre = drawn.pose()
        r, t = turned @ rotation, turned @ (-rotation @ centre)
        f, k1, k2 = drawn.number(70, 90), drawn.number(-0.1, 0.1), drawn.number(-0.1, 0.1)
        lines += [words([f, k1, k2]), *map(words, r), words(t)]
        local = drawn.points @ r.T + t
        p = -local[:, :2] / local[:, 2:]
        offset = f * radial((p**2).sum(axis=1), k1, k2)[:, None] * p
        pixels[image] = np.stack([w / 2 + offset[:, 0], h / 2 - offset[:, 1]], axis=1)
        for i, place in enumerate(offset):
            seen[i].append(f"{key} {i} {words(place)}")
        names.append(f"shots\\{image} 0 77.5")
    for point, track in zip(drawn.points, seen, strict=True):
        lines += [words(point), "10 20 30", f"{len(track)} {' '.join(track)}"]
    files = {"bundle.out": "\n".join(lines), "list.txt": "\n".join(["lost.png", *names])}
    return Native(files, "bundle.out", pixels, drawn.points)


def polycam(drawn: Drawn) -> Native:
    files, pixels = {}, {}
    for image, (w, h) in SIZES.items():
        rotation, centre = drawn.pose()
        matrix = opengl_matrix(rotation, centre)
        given = {
            "fx": drawn.number(70, 90),
            "fy": drawn.number(70, 90),
            "cx": w / 2 + drawn.number(-2, 2),
            "cy": h / 2 + 1.5,
        }
        file = given | {f"t_{i}{j}": matrix[i, j] for i in range(3) for j in range(4)} | {"width": w, "height": h}
        files[f"keyframes/corrected_cameras/{image[:-4]}.json"] = json.dumps(file)
        pixels[image] = opencv(*opengl(drawn.points, matrix), given)
    return Native(files, "", pixels, drawn.points)


def record3d(drawn: Drawn, each: bool) -> Native:
    """Quaternions x, y, z, w of OpenGL's cameras; K column by column, or a lens per frame."""
    poses, pixels, lenses = [], {}, []
    w, h = SIZES["wide.png"]
    one = [drawn.number(70, 90), drawn.number(70, 90), w / 2 + drawn.number(-2, 2), h / 2 + 1.0]
    for number in range(2):
        rotation, centre = drawn.pose()
        matrix = opengl_matrix(rotation, centre)
        poses.append([*Rotation.from_matrix(matrix[:3, :3]).as_quat(), *centre])
        lenses.append([one[0] + number, *one[1:]] if each else one)
        given = dict(zip(("fx", "fy", "cx", "cy"), lenses[-1], strict=True))
        pixels[f"{number}.png"] = opencv(*opengl(drawn.points, matrix), given)
    k = [one[0], 0, 0, 0, one[1], 0, one[2], one[3], 1]
    file = {"w": w, "h": h, "K": k, "poses": np.array(poses).tolist()}
    file |= {"perFrameIntrinsicCoeffs": lenses} if each else {}
    return Native({"metadata": json.dumps(file)}, "metadata", pixels, drawn.points)


def assert_pixels(capture: Path, made: Native) -> None:
    """What COLMAP makes of the capture sees the points where the format's formulas do."""
    model = pycolmap.Reconstruction(capture / "sparse")
    found = {Path(image.name).name: image for image in model.images.values()}
    assert set(found) == set(made.pixels)
    for name, wanted in made.pixels.items():
        local = found[name].cam_from_world() * made.points
        assert np.abs(np.array(model.cameras[found[name].camera_id].img_from_cam(local)) - wanted).max() < 1e-6
