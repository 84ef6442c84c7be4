"""Commands that make synthetic heads: generate, distributions, preview, blend."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from assets.head_models.registry import load_head_model
from assets.library import open_library
from capture import InputError
from factory.blend.options import BlendOptions, HairOverrides
from factory.cli.parser import Command, argument, group
from factory.cli.shared import RenderOptions
from factory.stages.heads import generate_heads
from factory.stages.overrides import read_overrides
from factory.stages.seeds import parse_seeds, seeds_of
from factory.stages.settings import RenderSetup
from generator.jobs.arguments import common_overrides
from generator.jobs.heads import check_threads
from registration.options import RegisterOptions

log = logging.getLogger(__name__)

_RENDERING = "rendering"


@dataclass(frozen=True)
class Generate:
    """Options of `generate`.

    Attributes:
        seeds: one seed for each head: a number, a range like 0:8, whose end is left out, or a list like 1,4,9.
        out: output folder; each head becomes a capture in it.
        hair: family of the scalp's hair of all heads; by default drawn.
        beard: family of the beard of all heads; by default drawn.
        hdri: panorama of all heads: one of Blender's, or the id of an asset of the library; by default drawn.
        neutral: no expression, no turned head.
        threads: that Blender may use; by default all cores. The images don't depend on it.
        force: render again also what is finished, or was made with other options; what came of it is removed.
        save_scene: save the scene of each head, too: scene.blend, and scene.glb of its meshes.
    """

    seeds: str = "0"
    out: Path = Path("captures")
    render: RenderOptions = group(RenderOptions(), _RENDERING)
    hair: str | None = None
    beard: str | None = None
    hdri: str | None = None
    neutral: bool = False
    threads: int | None = None
    force: bool = False
    save_scene: bool = False


def generate(options: Generate) -> None:
    """Render synthetic heads: 13 calibrated views, masks and the true surface of each."""
    seeds = parse_seeds(options.seeds)
    check_threads(options.threads)
    own = common_overrides(options.hair, options.beard, options.hdri, options.neutral)
    settings = options.render.settings(own)
    generate_heads(
        seeds, options.out, settings, threads=options.threads, force=options.force, scenes=options.save_scene
    )


@dataclass(frozen=True)
class ListDistributions:
    """Options of `distributions`.

    Attributes:
        file: YAML or JSON file of distributions, which is checked.
        list: print all that can be overridden: names, types, ranges and defaults.
        library: folder of an asset library; may be given several times.
        head_model: head model that heads are drawn from: makehuman, an ICT-FaceKit folder or an .npz file.
    """

    file: Path | None = argument(None)
    list: bool = False
    library: tuple[Path, ...] = ()
    head_model: str = RenderOptions.head_model


def distributions(options: ListDistributions) -> None:
    """Check a file that overrides what is drawn at random, or list all that can be overridden."""
    if options.file is None and not options.list:
        raise InputError("give the file to check, or `list`")
    if options.file is not None:
        read_overrides(options.file, library=options.library, head_model=options.head_model)
        log.info("%s: every override fits", options.file)
    if options.list:
        from generator.reference import list_parameters, override_lines

        model, library = load_head_model(options.head_model), open_library(options.library)
        sys.stdout.writelines(f"{line}\n" for line in override_lines(list_parameters(model, library)))


@dataclass(frozen=True)
class Preview:
    """Options of `preview`.

    Attributes:
        heads: number of heads; by default 12. With `each`, of each of its options; by default 1.
        out: the picture, .png or .jpg.
        first_seed: seed of the first head; the others count up.
        each: a choice, as in hair.family or environment.lighting: show all its options.
        views: azimuth:elevation of each view, degrees.
        resolution: width and height of a view, pixels.
    """

    heads: int | None = None
    out: Path = Path("preview.png")
    first_seed: int = 0
    each: str | None = None
    views: str = "0:0,40:5"
    resolution: int = 192
    render: RenderOptions = group(RenderOptions(samples=8), _RENDERING, without=("resolution", "passes", "rig"))


def preview(options: Preview) -> None:
    """Render a contact sheet of heads, small and quickly, to see what the distributions draw."""
    from factory.preview import parse_views, plan_tiles, preview_heads

    heads = options.heads if options.heads is not None else 1 if options.each else 12
    seeds = seeds_of(heads, options.first_seed)
    settings = options.render.settings()
    tiles = plan_tiles(seeds, settings.distributions, options.each, settings.library, settings.head_model)
    settings = replace(settings, resolution=options.resolution)  # the views are the sheet's own, not a rig's
    log.info("%s", preview_heads(tiles, parse_views(options.views), options.out, settings))


@dataclass(frozen=True, kw_only=True)
class Blend:
    """Options of `blend`.

    Attributes:
        capture: folder of a capture of a bald or shaved head, or one in a cap, with its scan.
        out: output folder: the blended capture.
        images_only: leave the scan to `p2p reconstruct` and `p2p label`.
        force: blend again also what is finished, or was made with other options; what came of it is removed.
    """

    capture: Path = argument()
    out: Path
    hair: HairOverrides = group(HairOverrides())
    images_only: bool = False
    render: RenderSetup = group(RenderSetup(), _RENDERING, without=("resolution", "head_model", "passes"))
    registration: RegisterOptions = group(RegisterOptions(), "the clean scan", without=("out", "no_view"))
    force: bool = False


def blend(options: Blend) -> None:
    """Blend rendered hair over the photographs of a bald head: a test scan whose skin below the hair is known."""
    from factory.blend.run import blend_capture, rebuild

    chosen = BlendOptions(options.hair, options.render, options.registration)
    log.info("%s", blend_capture(options.capture, options.out, chosen, force=options.force))
    if not options.images_only:
        rebuild(options.out)


COMMANDS = {
    "generate": Command(generate, "render"),
    "distributions": Command(distributions, "render"),
    "preview": Command(preview, "render"),
    "blend": Command(blend, "blend"),
}
