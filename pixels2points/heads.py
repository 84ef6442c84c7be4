"""Synthetic heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capture import Capture, InputError
from factory.cli.heads import Generate
from factory.cli.shared import RenderOptions
from factory.console import Track
from factory.stages.generate import generate_head
from factory.stages.heads import refuse_former_heads
from factory.stages.seeds import HIGHEST_SEED
from factory.stages.settings import Execution
from generator.jobs.arguments import common_overrides
from generator.jobs.devices import Device
from generator.jobs.ground_truth import parse_passes
from generator.jobs.heads import check_threads
from pixels2points.arguments import Progress, no_progress, optional_path


def make_head(
    seed: int,
    out: Path | str = Generate.out,
    *,
    resolution: int | None = RenderOptions.resolution,
    samples: int = RenderOptions.samples,
    hair: str | None = Generate.hair,
    beard: str | None = Generate.beard,
    hdri: str | None = Generate.hdri,
    neutral: bool = Generate.neutral,
    threads: int | None = Generate.threads,
    blender: Path | str | None = RenderOptions.blender,
    device: Device = RenderOptions.device,
    head_model: str = RenderOptions.head_model,
    library: Sequence[Path | str] = RenderOptions.library,
    distributions: Path | str | None = RenderOptions.distributions,
    rig: Path | str | None = RenderOptions.rig,
    passes: Sequence[str] = RenderOptions.passes,
    force: bool = Generate.force,
    progress: Progress = no_progress,
) -> Capture:
    """Sample and render a synthetic head: calibrated views, class masks and its true surface.

    The capture is written into `<out>/head_<seed>`. A head that is finished there, and was made with the same settings
    (or with more passes), is not rendered again; one of other settings is refused unless `force`. Blender runs in a
    process of its own, whose output goes to `<out>/logs`. This is `p2p generate`.

    Args:
        seed: of the head, 0 to 99,999,999: the same seed and settings give the same head.
        out: folder that holds the captures.
        resolution: width and height of the images, pixels; 512 where None, or what the rig says.
        samples: Cycles samples per pixel.
        hair: family of the scalp's hair; drawn where None.
        beard: family of the beard; drawn where None.
        hdri: panorama, one of Blender's or the id of an asset of the library; drawn where None.
        neutral: no expression, no turned head.
        threads: that Blender may use, all cores where None; the images don't depend on it.
        blender: a Blender program, 3.4 or later, that renders; the `bpy` package where None.
        device: what Cycles renders on: cpu, cuda, optix, hip, oneapi or metal.
        head_model: head model that the head is drawn from: makehuman, an ICT-FaceKit folder or an .npz file.
        library: folders of asset libraries; later ones take precedence.
        distributions: YAML or JSON file that overrides what is drawn at random, see docs/generator.md.
        rig: YAML or JSON file of cameras of your own, see docs/generator.md.
        passes: ground truth images beside the masks, some of depth, normals, albedo, uv.
        force: render again a head that is finished, or was made with other settings; what came of it is removed.
        progress: called with the step and the share of it that is done.

    Returns:
        The capture: N cameras, and the paths of the images, masks and of the head's surface, metres.

    Raises:
        InputError: where a setting or a file can't be used, Blender is missing, or a head of other settings is there.
        factory.stages.failures.StageError: where Blender fails; the message names its log.

    Example:
        >>> import pixels2points as p2p
        >>> head = p2p.make_head(4, "captures", resolution=128, samples=1, hair="none", beard="none", neutral=True)
        >>> head.folder.name, len(head.cameras)
        ('head_00000004', 13)
        >>> head.head_path.is_file()
        True
    """
    if not 0 <= seed <= HIGHEST_SEED:
        raise InputError(f"`seed` {seed}: seeds lie between 0 and {HIGHEST_SEED}")
    options = RenderOptions(
        resolution=resolution,
        samples=samples,
        blender=optional_path(blender),
        library=tuple(map(Path, library)),
        head_model=head_model,
        device=device,
        passes=parse_passes(",".join(passes)),
        distributions=optional_path(distributions),
        rig=optional_path(rig),
    )
    check_threads(threads)
    settings = options.settings(common_overrides(hair, beard, hdri, neutral))
    refuse_former_heads([int(seed)], Path(out), settings, force=force)
    bar = Track(0, lambda done, total, step: progress(step, done / total if total else 0.0))
    return Capture.read(generate_head(int(seed), Path(out), settings, Execution(threads, bar=bar), force=force))
