"""Account of a prediction: how much is skin, where it is in doubt, where the scan is unlike those trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from capture.geometry import vertex_areas
from scans.doubts import DoubtfulRegion, doubtful_regions
from scans.head_sample import HeadSample
from scans.meshes.repair import repair
from scans.predictions import Prediction
from scans.traits import ScanTraits, TrainingTraits
from scans.viewer.pose import find_pose

_TOLD = 3  # regions in a line


@dataclass(frozen=True)
class PredictionSummary:
    """Account of a prediction.

    Attributes:
        vertices, skin: numbers of all vertices, and of those that are skin.
        scan_cm2, skin_cm2: areas of the surface.
        regions: that are in doubt, the largest first.
        traits: of the scan and its views.
        unlike: sentences on what is unlike the heads that the labeller was trained on; None where it doesn't tell.
        uncertain: share of the vertices whose labels are uncertain; None where the labeller doesn't tell.
        visible_cm2: area that the images show as skin, be the scan right there or not; None where it isn't predicted.
    """

    vertices: int
    skin: int
    scan_cm2: float
    skin_cm2: float
    regions: Sequence[DoubtfulRegion]
    traits: ScanTraits
    unlike: Sequence[str] | None
    visible_cm2: float | None = None
    uncertain: float | None = None

    @property
    def doubts(self) -> str:
        """The regions in a line."""
        if not self.regions:
            return "nowhere in doubt"
        told = "; ".join(f"{each.area_cm2:.1f} cm² {each.place}" for each in self.regions[:_TOLD])
        more = f"; {len(self.regions) - _TOLD} more regions" if len(self.regions) > _TOLD else ""
        return f"in doubt: {told}{more}"

    def lines(self) -> list[str]:
        """Short lines: the share of skin, what is in doubt, and whether the scan is like the training heads.

        Where it is unlike them, `unlike` says it.
        """
        share = f"skin: {self.skin / max(self.vertices, 1):.0%} of the vertices"
        seen = "" if self.visible_cm2 is None else f"; {self.visible_cm2:.0f} cm² are seen as skin"
        unsure = "" if self.uncertain is None else f"; {self.uncertain:.0%} of the labels are uncertain"
        lines = [f"{share}, {self.skin_cm2:.0f} of {self.scan_cm2:.0f} cm²{seen}{unsure}", self.doubts]
        if self.unlike is None:
            lines.append("the labeller doesn't tell what scans it was trained on: they may have been unlike this one")
        elif not self.unlike:
            lines.append("views, image scale, unseen vertices and density are as the labeller was trained on")
        return lines

    def facts(self) -> list[str]:
        """The same for a page."""
        return [*self.lines()[:2], *(f"unlike the training: {line}" for line in self.unlike or ())]

    def to_json(self, metres: float) -> dict[str, Any]:
        """As a JSON object; places in the scan's own unit, of which one is so many metres."""
        regions = [
            {
                "area_cm2": round(each.area_cm2, 2),
                "place": each.place,
                "middle": [round(value / metres, 6) for value in each.middle],
            }
            for each in self.regions
        ]
        return {
            "area_cm2": {
                "scan": round(self.scan_cm2, 1),
                "skin": round(self.skin_cm2, 1),
                "visible_skin": None if self.visible_cm2 is None else round(self.visible_cm2, 1),
            },
            "uncertain_share": None if self.uncertain is None else round(self.uncertain, 4),
            "doubtful": regions,
            "traits": self.traits.to_json(),
            "unlike_training": None if self.unlike is None else list(self.unlike),
            "facts": self.facts(),
        }


def summarise(prediction: Prediction, head: HeadSample, trained: TrainingTraits | None) -> PredictionSummary:
    """Account of a prediction for a head in metres, whose labeller was trained on heads of these traits."""
    repaired = repair(head.scan)
    mesh, probability = repaired.scan, repaired.gather(prediction.probability)
    areas = 1e4 * vertex_areas(mesh.vertices, mesh.faces)
    visible = prediction.visible_skin
    tops = [camera.up for camera in head.cameras]
    pose = find_pose(mesh, probability, tops, [camera.centre for camera in head.cameras])
    traits = ScanTraits.of_head(replace(head, scan=mesh))
    return PredictionSummary(
        vertices=len(prediction.skin),
        skin=int(prediction.skin.sum()),
        scan_cm2=float(areas.sum()),
        skin_cm2=float(areas[repaired.gather(prediction.skin) > 0.5].sum()),
        regions=doubtful_regions(mesh, probability, pose),
        traits=traits,
        unlike=None if trained is None else trained.unlike(traits),
        uncertain=None if prediction.uncertain is None else float(prediction.uncertain.mean()),
        visible_cm2=None if visible is None else float(areas[repaired.gather(visible) > 0.5].sum()),
    )
