"""The stages that make a labelled head, in order: the one table that stamps, production and its options read.

To add a stage, write its function in a file beside `generate.py`, `reconstruct.py` and `label.py`, and add a row to
`STAGES`. The function takes a `StageInput`, works in its folder and leaves its files there; production then runs the
stage for every head, with options for its resources (`--<stage>.cpus`, ...), and moves its files to later stages.
The function itself skips what is complete and leaves a stamp (`stamps.is_whole`, `stamps.run_stamped`). Outputs get
into data sets where `factory.dataset.samples` encodes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from capture import Capture
from capture.variants import ScanVariant
from factory.stages.settings import Execution, RenderSettings, ScanSettings


@dataclass(frozen=True)
class StageInput:
    """The head that a stage works on, and the settings of all stages.

    Attributes:
        seed: of the head.
        root: folder that the head's capture lies in.
        folder: the capture itself; made by the first stage.
        render: settings of rendering.
        scan: settings of reconstruction and labels.
        execution: threads, limits and folder for temporary files.
    """

    seed: int
    root: Path
    folder: Path
    render: RenderSettings
    scan: ScanSettings
    execution: Execution


@dataclass(frozen=True)
class ResourceEstimate:
    """Memory and time limits of a stage on one slow core, with room to spare, from the pixels of a head's images.

    Attributes:
        gib: memory, whatever the resolution.
        gib_per_megapixel: memory on top of it.
        minutes: whatever the resolution.
        minutes_per_megapixel: on top of it, and once for a head of any size.
        per_sample: whether these minutes are those of 16 Cycles samples a pixel, and grow with the samples.
    """

    gib: float
    gib_per_megapixel: float
    minutes: float
    minutes_per_megapixel: float
    per_sample: bool = False

    def memory_gib(self, pixels: float) -> float:
        """Memory limit, GiB; `pixels` are those of all of a head's images."""
        return round(self.gib + self.gib_per_megapixel * pixels / 1e6, 1)

    def time_minutes(self, pixels: float, samples: int) -> float:
        """Time limit, minutes; `samples` are those of Cycles per pixel."""
        work = 1 + pixels / 1e6 * (samples / 16 if self.per_sample else 1)
        return round(self.minutes + self.minutes_per_megapixel * work, 1)


@dataclass(frozen=True)
class Stage:
    """A step of the work on a head, run in a process of its own.

    Attributes:
        name: as in `p2p <name>`, in logs, stamps and options.
        function: "module:function" that runs it, with a `StageInput`; imported when it is first run, because the
            modules of stages read this table themselves.
        outputs: patterns of the files that it leaves in the capture's folder.
        estimate: default limits of memory and time.
        version: raised whenever a change of the code changes what the stage makes of the same input; None for
            rendering, whose version is `generator.GENERATOR_VERSION`.
    """

    name: str
    function: str
    outputs: tuple[str, ...]
    estimate: ResourceEstimate = field(repr=False)
    version: int | None = None

    def load(self) -> Callable[[StageInput], None]:
        """The function itself."""
        module, _, name = self.function.partition(":")
        function: Callable[[StageInput], None] = getattr(import_module(module), name)
        return function


# Measured: rendering 1.7 GiB at 256² and 13 views with an asset library, 2.6 at 1024²; stereo 0.9 at 512², 2.7 at
# 1024²; minutes of one core a megapixel: rendering 1.5 (library assets add 2), stereo 1.
STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="generate",
            function="factory.stages.generate:generate_stage",
            outputs=(
                Capture.INFO,
                Capture.HEAD,
                Capture.BLEND,
                "sparse/*.txt",
                "images/view_*",
                "masks/view_*",
                "passes/*/view_*",
            ),
            estimate=ResourceEstimate(3.0, 0.1, 20.0, 10.0, per_sample=True),
        ),
        Stage(
            name="reconstruct",
            function="factory.stages.reconstruct:reconstruct_stage",
            outputs=(Capture.SCAN, ScanVariant.SCANS, ScanVariant.STYLES),
            estimate=ResourceEstimate(1.5, 0.25, 10.0, 6.0),
            version=9,
        ),
        Stage(
            name="label",
            function="factory.stages.label:label_stage",
            outputs=(Capture.LABELS, Capture.QUALITY, ScanVariant.LABELS),
            estimate=ResourceEstimate(1.5, 0.1, 5.0, 1.0),
            version=3,
        ),
    )
}
"""Name -> stage, in the order of the work."""
