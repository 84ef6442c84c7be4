"""What each `p2p` command does.

A command imports the libraries of its stage itself: a render node has no torch, a stereo node no Blender.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from capture import Capture, InputError, Labels, Scan
from capture.labels import is_painted
from factory.console import track, track_share
from factory.production.quality_gates import QualityGates
from factory.production.resources import StageResources
from factory.stages.heads import (
    choose_resolution,
    generate_head,
    head_name,
    label_options,
    parse_seeds,
    read_overrides,
    reconstruct_options,
)
from factory.stages.progress import show_progress
from factory.stages.settings import Execution, RenderSettings, ScanSettings
from factory.stages.stamps import run_stamped
from factory.stages.usage import StepWatch, own_usage
from generator.jobs.ground_truth import parse_passes

log = logging.getLogger(__name__)


def generate(
    seeds: str,
    out: Path,
    resolution: int | None,
    samples: int,
    blender: Path | None,
    distributions: Path | None,
    passes: str | None,
    rig: Path | None,
    library: list[Path] | None,
    head_model: str,
    device: str,
    hair: str | None,
    beard: str | None,
    force: bool,
) -> None:
    """Render heads: 13 calibrated views, masks and the true surface of each seed."""
    numbers = parse_seeds(seeds)
    families = {"hair": {"family": hair}, "beard": {"family": beard}}
    overrides = read_overrides(distributions, families, rig, library or (), head_model)
    pixels = choose_resolution(resolution, overrides)
    settings = RenderSettings(
        pixels, samples, blender, overrides, tuple(library or ()), parse_passes(passes), head_model, device
    )
    for number, seed in enumerate(numbers, 1):
        name = head_name(seed)
        with track(f"{name} ({number} of {len(numbers)})", 0) as bar:
            generate_head(seed, out, settings, Execution(bar=bar), force=force)


def preview(
    heads: int | None,
    out: Path,
    first_seed: int,
    each: str | None,
    views: str,
    resolution: int,
    samples: int,
    blender: Path | None,
    distributions: Path | None,
    library: list[Path] | None,
    head_model: str,
    device: str,
) -> None:
    """Render a contact sheet of heads, small and quickly: what the distributions draw."""
    from factory.preview import parse_views, plan_tiles, preview_heads, seeds_of

    assets = tuple(library or ())
    settings = RenderSettings(resolution, samples, blender, library=assets, head_model=head_model, device=device)
    seeds = seeds_of(heads if heads is not None else 1 if each else 12, first_seed)
    overrides = read_overrides(distributions, library=settings.library, head_model=head_model)
    tiles = plan_tiles(seeds, overrides, each, settings.library, head_model)
    log.info("%s", preview_heads(tiles, parse_views(views), out, settings))


def reconstruct(
    capture: Path,
    backend: str,
    vertices: int | None,
    depth_min: float | None,
    depth_max: float | None,
    masks: Path | None,
    max_image_size: int,
    max_gap: float,
    max_hole: float,
    max_lift: float,
    min_component: float,
    threads: int | None,
    workspace: Path | None,
) -> None:
    """Rebuild the scan of a capture from its images by multi-view stereo."""
    from reconstruction import ReconstructionSettings, find_masks, reconstruct_capture

    opened = Capture.read(capture)
    settings = ReconstructionSettings(
        backend=backend,
        vertices=vertices,
        depth_min=depth_min,
        depth_max=depth_max,
        max_image_size=max_image_size or None,
        max_gap=max_gap,
        max_hole=max_hole,
        max_lift=max_lift,
        min_component=min_component,
        threads=threads,
    )
    options = reconstruct_options(backend, vertices)
    for name in ("max_image_size", "max_gap", "max_hole", "max_lift", "min_component"):
        if getattr(settings, name) != getattr(ReconstructionSettings, name):
            options |= {name: getattr(settings, name)}
    if depth_min is not None:
        options |= {"depth_min": depth_min, "depth_max": depth_max}
    chosen = None if masks is None else find_masks(opened, masks)
    if chosen is not None:
        options |= {"masks": [[str(path.resolve()), path.stat().st_mtime_ns] for path in chosen]}
    with show_progress(opened.info.id) as progress:
        watch = StepWatch(lambda step, share: progress(step, round(100 * share), 100))

        def work() -> Path:
            return reconstruct_capture(capture, settings, watch, masks=chosen, workspace=workspace)

        path = run_stamped(capture, "reconstruct", options, work, lambda _: own_usage(watch.times))
    scan = Scan.read(path)
    log.info("%s: %d vertices, %d faces", path, len(scan.vertices), len(scan.faces))


def calibrate(
    folder: Path, camera_model: str, shared_camera: bool, scale: float | None, known_distance: str | None
) -> None:
    """Find the cameras of your own images (<folder>/images) by structure from motion."""
    from reconstruction import CalibrationSettings, KnownDistance
    from reconstruction import calibrate as find_cameras

    known = None
    if known_distance is not None:
        words = known_distance.split(",")
        try:
            known = KnownDistance(words[0].strip(), words[1].strip(), float(words[2]))
            if len(words) != 3:
                raise ValueError
        except (ValueError, IndexError):
            example = "a.jpg,b.jpg,0.25 for two images whose cameras stood 25 cm apart"
            raise InputError(f"--known-distance {known_distance}: use {example}") from None
    settings = CalibrationSettings(camera_model, shared_camera, scale, known)
    with show_progress(folder.name or "calibrate") as progress:
        found = find_cameras(folder, settings, lambda step, share: progress(step, round(100 * share), 100))
    log.info("%s: %d cameras, mean reprojection error %.2f pixels", folder, len(found.model.cameras), found.error)
    if found.left_out:
        log.warning("no pose was found for %s", ", ".join(found.left_out))
    if not found.metric:
        log.warning(
            "the scale is unknown: lengths and thresholds in mm mean nothing for this capture; give "
            "--known-distance or --scale (with the sparse/ folder moved away)"
        )


def label(capture: Path, threshold_mm: float, skin_parts: str) -> None:
    """Label the scan of a capture: distance to the true surface, skin below the threshold."""
    from labeling import label_capture, measure_capture

    settings = ScanSettings(threshold_mm=threshold_mm, skin_parts=_words(skin_parts))
    options = label_options(settings)
    if is_painted(capture / Capture.LABELS):
        raise InputError(f"{capture / Capture.LABELS} was painted by a person; move it away to label the scan anew")

    def work() -> tuple[Path, Path]:
        return label_capture(capture, threshold_mm, settings.skin_parts), measure_capture(capture)

    path, quality = run_stamped(capture, "label", options, work)
    labels = Labels.read(path)
    log.info("%s: %d of %d vertices are skin", path, labels.skin.sum(), len(labels))
    log.info("%s", quality)


def pack(captures: Path, out: Path, test_share: float, heads_per_shard: int) -> None:
    """Write labelled captures as WebDataset shards with a dataset.json."""
    from factory.dataset import packing

    packing.pack(packing.list_captures(captures), out, packing.PackSettings(test_share, heads_per_shard))


def produce(
    heads: int,
    out: str,
    test_heads: int | None,
    test_share: float,
    heads_per_shard: int,
    first_seed: int,
    resolution: int | None,
    samples: int,
    blender: Path | None,
    distributions: Path | None,
    passes: str | None,
    rig: Path | None,
    library: list[Path] | None,
    head_model: str,
    device: str,
    backend: str,
    vertices: int | None,
    threshold_mm: float,
    skin_parts: str,
    gates: QualityGates,
    address: str | None,
    cpus: int | None,
    generate: StageResources,
    reconstruct: StageResources,
    label: StageResources,
    pack: StageResources,
    keep_captures: bool,
    scratch: Path | None,
) -> None:
    """Make a data set: render, rebuild, label and pack heads, here or on a cluster. Run again, it resumes."""
    from factory.dataset.splits import count_for_test
    from factory.dataset.store import Store
    from factory.production.cluster import ClusterOptions
    from factory.production.plan import Plan, current_versions
    from factory.production.produce import produce as make_dataset

    overrides = read_overrides(distributions, rig=rig, library=library or (), head_model=head_model)
    pixels = choose_resolution(resolution, overrides)
    render = RenderSettings(
        pixels, samples, blender, overrides, tuple(library or ()), parse_passes(passes), head_model, device
    )
    if backend == "auto":  # the data set depends on it: not on which node a head meets
        backend = "cuda" if reconstruct.gpus else "cpu"
    scan = ScanSettings(backend, vertices, threshold_mm, _words(skin_parts))
    for_test = count_for_test(heads, test_share) if test_heads is None else test_heads
    versions = current_versions(render)
    plan = Plan(heads, for_test, heads_per_shard, first_seed, render, scan, gates, versions)
    resources = {"generate": generate, "reconstruct": reconstruct, "label": label, "pack": pack}
    description = make_dataset(plan, Store(out), ClusterOptions(address, resources, keep_captures, scratch, cpus))
    splits = description["splits"]
    log.info("data set %s: %s", out, ", ".join(f"{splits[name]['samples']} {name}" for name in splits))


def status(dataset: str) -> None:
    """Print the progress of a data set, from any machine, while it is made or after."""
    from factory.dataset.store import Store
    from factory.production.status import describe

    for line in describe(Store(dataset)):
        sys.stdout.write(f"{line}\n")


def verify(dataset: str) -> None:
    """Check a data set: every checksum, count, label and split."""
    from factory.dataset.store import Store
    from factory.production.verify import verify as check

    counts = check(Store(dataset))
    log.info("%s has no errors: %s", dataset, ", ".join(f"{number:,} {name}" for name, number in counts.items()))


def segment(
    capture: Path,
    checkpoint: Path | None,
    scan: Path | None,
    unit: str | None,
    camera_unit: str | None,
    vertices: int,
) -> None:
    """Label the scan of a capture with a trained model."""
    from training.checkpoints.pretrained import PRETRAINED
    from training.memory import keep_freed_memory
    from training.segment import SegmentOptions, segment_capture

    keep_freed_memory()
    prediction = segment_capture(capture, checkpoint or PRETRAINED, scan, SegmentOptions(unit, camera_unit, vertices))
    log.info("%s: %d of %d vertices are skin", capture / "prediction", prediction.skin.sum(), len(prediction.skin))


def export(checkpoint: Path, out: Path) -> None:
    """Make a checkpoint small: without what only training needs, in half precision."""
    from training.checkpoints.pretrained import export_checkpoint

    export_checkpoint(checkpoint, out)


def register(
    scan: Path, labels: str | None, template: str, landmarks: Path | None, unit: str | None, out: Path | None
) -> None:
    """Deform a template head onto the skin of a scan."""
    from registration.files.register import RegisterOptions, register_scan

    with track_share(f"registering {scan.name}") as progress:
        register_scan(scan, RegisterOptions(labels, template, landmarks, unit, out), progress)


def annotate(
    scan: Path | None,
    labels: str | None,
    unit: str | None,
    camera_unit: str | None,
    out: Path | None,
    blender: Path | None,
    **rest: Path | None,
) -> None:
    """Paint what of a scan is skin, in Blender: write the file, or take what was painted as labels."""
    from factory.annotation import AnnotateOptions, import_annotation, write_annotation

    painted = rest["import"]
    if (scan is None) == (painted is None):
        raise InputError("give either a scan to paint on or --import FILE.blend")
    if scan is not None:
        write_annotation(scan, AnnotateOptions(labels, unit, camera_unit, out, blender))
        return
    assert painted is not None
    given = {"--labels": labels, "--unit": unit, "--camera-unit": camera_unit}
    if foreign := [name for name, value in given.items() if value is not None]:
        raise InputError(f"{', '.join(foreign)}: for a scan to paint on; --import needs none of it")
    import_annotation(painted, out, blender)


def blend(
    capture: Path,
    out: Path,
    hair: str | None,
    beard: str,
    seed: int,
    samples: int,
    blender: Path | None,
    library: list[Path] | None,
    template: str,
    device: str,
    labels: str | None,
    landmarks: Path | None,
    unit: str | None,
    images_only: bool,
) -> None:
    """Blend rendered hair over the photographs of a bald head: a scan whose skin below is known."""
    from factory.blend.recipe import Overrides
    from factory.blend.run import BlendOptions, blend_capture, rebuild

    assets = tuple(library or ())
    render = RenderSettings(samples=samples, blender=blender, library=assets, head_model=template, device=device)
    options = BlendOptions(Overrides(hair, beard, seed), render, labels, landmarks, unit)
    log.info("%s", blend_capture(capture, out, options))
    if not images_only:
        rebuild(out)


def evaluate(
    dataset: Path,
    checkpoints: Path | None,
    out: Path,
    which: str,
    split: str,
    heads: int | None,
    annotated: Sequence[Path] | None,
    blended: Sequence[Path] | None,
    bisenet: Path | None,
    selfie: Path | None,
    unet: Path | None,
    template: str,
    head_model: str,
    vertices: int,
    pictures: int,
    rows: str,
) -> None:
    """Measure labels and registrations of every method on the same heads: the paper's tables and more."""
    from evaluation.comparison.rows import Baselines
    from evaluation.run import EvaluateOptions
    from evaluation.run import evaluate as run
    from training.memory import keep_freed_memory

    keep_freed_memory()
    options = EvaluateOptions(
        checkpoints, which, Baselines(bisenet, selfie, unet), split, heads, tuple(annotated or ()),
        tuple(blended or ()),
        None if template == "none" else template, (head_model,), vertices, pictures, _words(rows),
    )  # fmt: skip
    with track("evaluating", 0) as bar:
        run(dataset, out, options, lambda done, total, step: bar(done, step, total))


def report(dataset: str, out: Path | None, heads: int, faces: int) -> None:
    """Write a page with the pictures and numbers of a data set, finished or in the making."""
    from factory.report import ReportSettings, write_report

    log.info("report: %s", write_report(dataset, out, ReportSettings(heads, faces)))


def demo(out: Path) -> None:
    """Make a handful of heads, train a small model on them, segment an unseen one, and report it all."""
    from factory.demo import run_demo

    run_demo(out)


def fit(arguments: Sequence[str]) -> int:
    """Train a labeller: `python -m training fit` with these arguments; returns the exit code."""
    from training.cli import main

    return main(["fit", *arguments])


def _words(text: str) -> tuple[str, ...]:
    """The words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
