"""Records of prepared heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.features.backbone import Tokens
from training.features.lifting import Placement
from training.operators import Operators
from training.preparation.simplify import Interpolation, Simplified
from training.preparation.targets import Targets


@dataclass(frozen=True, eq=False)
class PreparedHead:
    """A head ready for the network, W vertices.

    Attributes:
        id: name of the capture.
        mesh: the simplified scan.
        operators: of the simplified scan.
        features: (W, C) float16, not normalised.
        targets: at the W vertices, None without labels.
        image: for the image head; None where features are lifted once.
    """

    id: str
    mesh: Simplified
    operators: Operators
    features: NDArray[np.float16]
    targets: Targets | None = None
    image: ImageInput | None = None


@dataclass(frozen=True, eq=False)
class ImageInput:
    """Input of the image head.

    Attributes:
        tokens: N token maps (h, w, C), memory-mapped where they are cached.
        placement: of the W vertices in the N views.
    """

    tokens: list[Tokens]
    placement: Placement


@dataclass(frozen=True, eq=False)
class WholeScan:
    """The V vertices of a scan, beside the simplified one.

    Attributes:
        key: hash of the scan's content.
        interpolation: from the simplified scan to the V vertices.
        targets: at the V vertices, None without labels.
    """

    key: str
    interpolation: Interpolation
    targets: Targets | None = None
