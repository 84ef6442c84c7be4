"""The assembly of an outfit: from a spec and a head to all the meshes and strands that the head wears, without Blender.

The order matters: what is worn decides where hair may lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capture import PixelClass
from capture.geometry import Floats, vertex_normals
from generator.geometry.distance import distance_field
from generator.geometry.head_frame import head_frame
from generator.hair.beard import grow_beard
from generator.hair.brows import grow_brows
from generator.hair.lashes import grow_lashes
from generator.hair.obstacle import hair_obstacle
from generator.hair.scalp import grow_scalp
from generator.hair.strands import Strands
from generator.hair.under_headwear import press_under_headwear
from generator.hair.under_library_hat import press_under_hat
from generator.head import HeadGeometry
from generator.spec import COMPONENTS, HeadSpec
from generator.wear.clothing.garment import make_garment
from generator.wear.headwear.hats import make_headwear
from generator.wear.worn_mesh import WornMesh


@dataclass(frozen=True, eq=False)
class Outfit:
    """All that a head wears, its hair among it.

    Attributes:
        meshes: clothes, headwear, eyewear, jewellery, and proxies out of a library.
        strands: "scalp hair", "brows", "lashes", "beard" -> strands; what has none is not there.
    """

    meshes: tuple[WornMesh, ...]
    strands: Mapping[str, Strands]

    def framed_radius(self, head: HeadGeometry) -> float:
        """Radius around the head's centre that holds the head, and hair and hats above its middle, metres."""
        high = (PixelClass.SCALP_HAIR, PixelClass.HEADWEAR)
        worn = [mesh.vertices for mesh in self.meshes if mesh.pixel_class in high]
        return max(_framed_radius(head, points) for points in (self.strands.get("scalp hair"), *worn))


def assemble_outfit(spec: HeadSpec, head: HeadGeometry, proxies: Sequence[WornMesh] = ()) -> Outfit:
    """Make all that the spec wears.

    Args:
        spec: the head's recipe.
        head: its surface.
        proxies: meshes out of a library, of `generator.wear.library_meshes`; they replace our own of the same class.
    """
    replaced = {mesh.name.removeprefix("library ") for mesh in proxies}
    replaced_classes = {mesh.pixel_class for mesh in proxies}
    field = distance_field(head.skin.vertices, head.skin.normals)
    clothes = make_garment(spec.garment, head, field)
    meshes = [
        WornMesh(
            cloth.name,
            cloth.vertices,
            cloth.triangles,
            PixelClass.GARMENT,
            cloth.material,
            {"fabric": cloth.fabric, "collar": cloth.collar},
        )
        for cloth in clothes
    ]
    skull = head_frame(head)
    for name, component in COMPONENTS.items():
        if component.accessory is not None:
            meshes += component.accessory(getattr(spec, name), head, skull, field)
    obstacle = hair_obstacle(head, field, clothes)
    scalp = None if "scalp hair" in replaced else grow_scalp(spec.hair, head, obstacle)
    for hat in (mesh for mesh in proxies if mesh.pixel_class == PixelClass.HEADWEAR):
        normals = vertex_normals(hat.vertices, hat.triangles)
        scalp = press_under_hat(scalp, hat.vertices, normals, head.skin, field) if scalp else None
    hats, cover = make_headwear(spec.headwear, head, skull, scalp, meshes)
    meshes += hats
    if scalp is not None and cover is not None:
        scalp = press_under_headwear(scalp, cover)
    hair = {
        "scalp hair": scalp,
        "brows": grow_brows(spec.brows, head),
        "lashes": grow_lashes(spec.lashes, head),
        "beard": grow_beard(spec.beard, head, obstacle),
    }
    grown = {name: strands for name, strands in hair.items() if strands and len(strands) and name not in replaced}
    return Outfit((*(mesh for mesh in meshes if mesh.pixel_class not in replaced_classes), *proxies), grown)


def _framed_radius(head: HeadGeometry, hair: Strands | Floats | None) -> float:
    """Radius around the head's centre that holds the head and the hair above its middle, metres."""
    if hair is None:
        return head.radius
    points = (hair.points if isinstance(hair, Strands) else hair).reshape(-1, 3) - head.centre
    above = np.linalg.norm(points[points[:, 2] > 0], axis=1)
    return max(head.radius, 0.98 * float(above.max())) if len(above) else head.radius
