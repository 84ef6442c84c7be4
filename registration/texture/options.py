"""Options of the texture of a registered template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture import InputError

_LEAST, _MOST = 64, 16384


@dataclass(frozen=True)
class TextureOptions:
    """Options of a texture.

    Attributes:
        texture: bake the capture's images onto the template's texture coordinates, into images of so many pixels a
            side; 4096 is common. By default no texture is made.
        images: capture whose images are baked, for a mesh that is no capture's; by default the one that is registered.
        camera_unit: unit of the cameras' positions; by default the scan's, or the one in which they see more of it.

    Raises:
        InputError: a size that is no texture's, or options of a texture that isn't asked for.
    """

    texture: int | None = None
    images: Path | None = None
    camera_unit: str | None = None

    def __post_init__(self) -> None:
        if self.texture is None:
            given = {"`images`": self.images, "`camera_unit`": self.camera_unit}
            if foreign := [name for name, value in given.items() if value is not None]:
                raise InputError(f"{', '.join(foreign)}: for a texture; give its side, `texture` 4096, too")
        elif not _LEAST <= self.texture <= _MOST:
            raise InputError(f"`texture` {self.texture}: the side of the image, {_LEAST} to {_MOST} pixels")
