"""Commands that make synthetic heads: generate, preview, blend."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from factory.blend.options import BlendOptions, HairOverrides
from factory.cli.parser import Command, argument, group
from factory.cli.shared import RenderOptions
from factory.stages.heads import generate_heads
from factory.stages.seeds import parse_seeds, seeds_of
from factory.stages.settings import RenderSetup
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
        force: render again also what is finished, or was made with other options; what came of it is removed.
    """

    seeds: str = "0"
    out: Path = Path("captures")
    render: RenderOptions = group(RenderOptions(), _RENDERING)
    hair: str | None = None
    beard: str | None = None
    force: bool = False


def generate(options: Generate) -> None:
    """Render synthetic heads: 13 calibrated views, masks and the true surface of each."""
    seeds = parse_seeds(options.seeds)
    settings = options.render.settings({"hair": {"family": options.hair}, "beard": {"family": options.beard}})
    generate_heads(seeds, options.out, settings, force=options.force)


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
    registration: RegisterOptions = group(RegisterOptions(), "the clean scan", without=("out",))
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
    "preview": Command(preview, "render"),
    "blend": Command(blend, "blend"),
}
