"""A contact sheet of heads, for those who tune what is drawn."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from assets.head_models.registry import DEFAULT, load_head_model
from assets.library import open_library
from capture import InputError, atomic_path, read_json
from factory.console import Track, track
from factory.stages.blender import rendering_of, run_blender
from factory.stages.settings import Execution, RenderSettings
from generator.cameras.rig import RigSpec
from generator.distributions import Distributions, RecordedDistributions
from generator.jobs.heads import HeadRequest, PreviewJob
from generator.sampling import sample_spec

log = logging.getLogger(__name__)

HEADS_PER_PROCESS = 8  # Blender grows with every head
STRIP = 14  # pixels of the label below a head


@dataclass(frozen=True)
class Tile:
    """A head on the sheet: its seed, what is overridden for it, and the words below it."""

    seed: int
    overrides: Distributions
    label: str


def parse_views(text: str) -> tuple[tuple[float, float], ...]:
    """Azimuth and elevation in degrees of each view in "0:0,40:5"; raises `InputError` where it is something else."""
    try:
        views = tuple(
            (float(azimuth), float(elevation)) for azimuth, elevation in (word.split(":") for word in text.split(","))
        )
    except ValueError:
        raise InputError(f"`views` {text}: give azimuth:elevation in degrees, as in 0:0,40:5") from None
    if not all(math.isfinite(angle) for view in views for angle in view):
        raise InputError(f"`views` {text}: finite angles are needed")
    RigSpec.around(views)
    return views


def plan_tiles(
    seeds: Sequence[int],
    overrides: Distributions,
    each: str | None,
    library: Sequence[Path] = (),
    head_model: str = DEFAULT,
) -> list[Tile]:
    """The heads of a sheet: every seed, or every option of the choice `each` (component.parameter) for every seed.

    All of them are drawn, so that mistakes are told before Blender starts. Raises `InputError`.
    """
    model, assets = load_head_model(head_model), open_library(library)
    if each is None:
        tiles = [Tile(seed, overrides, f"seed {seed}") for seed in seeds]
    else:
        component, _, name = each.partition(".")
        asked = RecordedDistributions(overrides.overrides, overrides.where)
        sample_spec(seeds[0], model, asked, assets)
        choices = {f"{key}.{choice}" for key, sampler in asked.samplers.items() for choice in sampler.options}
        if each not in choices:
            raise InputError(f"`each` {each}: no choice of that name; use one of {', '.join(sorted(choices))}")
        options = asked.samplers[component].options[name]
        tiles = [
            Tile(seed, overrides.joined({component: {name: option}}), f"{option} {seed}")
            for seed in seeds
            for option in options
        ]
    for tile in tiles:
        sample_spec(tile.seed, model, tile.overrides, assets)
    return tiles


def preview_heads(
    tiles: Sequence[Tile], views: Sequence[tuple[float, float]], out: Path, settings: RenderSettings
) -> Path:
    """Render the tiles and write the sheet; returns its path.

    A head that can't be made, as a file of its assets is damaged, is left out with a warning that says why.

    Raises `InputError` where the output can't be written or no head can be made, `StageError` where Blender fails.
    """
    out = Path(out)
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"`out` {out}: a sheet is a .png or .jpg file")
    chunks = [tiles[first : first + HEADS_PER_PROCESS] for first in range(0, len(tiles), HEADS_PER_PROCESS)]
    with tempfile.TemporaryDirectory(prefix="p2p-preview-") as folder, track("preview", len(tiles)) as bar:
        rows: list[Image.Image] = []
        for index, chunk in enumerate(chunks):
            before = index * HEADS_PER_PROCESS
            _render(chunk, views, Path(folder) / f"part_{index:03d}", settings, out, bar, before)
            rows += _tiles(chunk, len(views), Path(folder) / f"part_{index:03d}")
        if not rows:
            raise InputError("no head can be shown; the warnings say why")
        with atomic_path(out) as temporary:
            _sheet(rows).save(temporary)
    _log_path(out).unlink(missing_ok=True)
    return out


def _render(
    tiles: Sequence[Tile],
    views: Sequence[tuple[float, float]],
    folder: Path,
    settings: RenderSettings,
    out: Path,
    bar: Track,
    before: int,
) -> None:
    heads = (HeadRequest(_folder(folder, index), tile.seed, tile.overrides) for index, tile in enumerate(tiles))
    job = PreviewJob(tuple(heads), tuple(views), rendering_of(settings))

    def show(done: int, total: int, step: str) -> None:
        bar(before + done, tiles[min(done, len(tiles) - 1)].label)

    execution = Execution(bar=Track(len(tiles), show))
    run_blender(job, folder / "job.json", settings.blender, "preview", _log_path(out), execution)


def _folder(folder: Path, index: int) -> Path:
    return folder / f"head_{index:03d}"


def _tiles(tiles: Sequence[Tile], views: int, folder: Path) -> Iterator[Image.Image]:
    """The views of each head side by side, with the label below; a head that can't be made is left out, and told."""
    for index, tile in enumerate(tiles):
        failed = _folder(folder, index) / PreviewJob.FAILED
        if failed.is_file():
            log.warning("%s is left out: %s", tile.label, read_json(failed, "reason")["reason"])
            continue
        images = [Image.open(_folder(folder, index) / f"view_{view:02d}.png") for view in range(views)]
        width, height = images[0].size
        row = Image.new("RGB", (width * views, height + STRIP))
        for column, image in enumerate(images):
            row.paste(image, (column * width, 0))
        ImageDraw.Draw(row).text((3, height + 1), tile.label, fill=(255, 255, 255))
        yield row


def _sheet(rows: Sequence[Image.Image]) -> Image.Image:
    """All tiles in columns, about as wide as a screen is."""
    width, height = rows[0].size
    columns = max(1, min(len(rows), round(math.sqrt(1.6 * len(rows) * height / width))))
    sheet = Image.new("RGB", (columns * width, math.ceil(len(rows) / columns) * height))
    for index, row in enumerate(rows):
        sheet.paste(row, (index % columns * width, index // columns * height))
    return sheet


def _log_path(out: Path) -> Path:
    return out.with_name(f".{out.stem}.log")
