"""Pictures of predictions on validation heads: files and TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from PIL import Image

from capture import atomic_path
from scans.pictures import colours
from scans.pictures.mesh_renderer import Fragments, MeshRenderer, Picture
from scans.pictures.sheets import sheet
from training.data.batch import BatchTargets, HeadBatch
from training.data.module import HeadData
from training.model.outputs import Outputs

_DIRECTIONS = ((0.0, 1.0, 0.0), (-0.75, 0.66, -0.05))  # of the rays: from the front, and from the subject's left
_DOWN = (0.0, 0.0, -1.0)
_COLUMNS = 4


class PredictionPictures(Callback):
    """Draws some validation heads as they are labelled, beside the targets.

    Args:
        folder: of the pictures `epoch_0000.png`; TensorBoard gets the same.
        heads: drawn at most; 0 draws nothing.
        every: epochs between pictures; the last epoch is drawn, too.
        size: of each, pixels.
    """

    def __init__(self, folder: Path, heads: int = 3, every: int = 5, size: int = 256) -> None:
        self._folder, self._count, self._every, self._size = Path(folder), heads, max(every, 1), size
        self._fragments: dict[str, list[Fragments]] = {}
        self._rows: list[list[tuple[str, Picture]]] = []

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the head."""
        if self._is_due(trainer) and batch_idx < self._count:
            assert isinstance(trainer.datamodule, HeadData)  # type: ignore[attr-defined]
            fragments = self._fragments_of(batch, trainer.datamodule)  # type: ignore[attr-defined]
            assert batch.targets is not None
            shown = draw_head(fragments, outputs["outputs"], batch.targets)
            shown[0] = (f"{batch.id}: {shown[0][0]}", shown[0][1])
            self._rows += [shown[i : i + _COLUMNS] for i in range(0, len(shown), _COLUMNS)]

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the picture."""
        if not self._rows:
            return
        page, self._rows = sheet(self._rows), []
        with atomic_path(self._folder / f"epoch_{trainer.current_epoch:04d}.png") as temporary:
            Image.fromarray(page).save(temporary)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("val/predictions", page, trainer.global_step, dataformats="HWC")

    def _is_due(self, trainer: lightning.Trainer) -> bool:
        if trainer.sanity_checking or not trainer.is_global_zero or not self._count:
            return False
        between = max(self._every, trainer.check_val_every_n_epoch or 1)
        done = trainer.current_epoch + 1
        return done % between == 0 or done == trainer.max_epochs or done == (trainer.check_val_every_n_epoch or 1)

    def _fragments_of(self, batch: HeadBatch, data: HeadData) -> list[Fragments]:
        """The head's mesh from some sides, computed once."""
        if batch.id not in self._fragments:
            mesh = data.mesh(batch.id)
            renderer = MeshRenderer(mesh.vertices, mesh.faces)
            self._fragments[batch.id] = [renderer.orthographic(way, _DOWN, self._size) for way in _DIRECTIONS]
        return self._fragments[batch.id]


def draw_head(fragments: list[Fragments], outputs: Outputs, targets: BatchTargets) -> list[tuple[str, Picture]]:
    """Titles and pictures of one head: targets, prediction, mistakes, and those of the network's other outputs."""
    true = _numpy(targets.skin) > 0
    probability = _numpy(outputs.probability)
    mistakes = colours.mistake_colours(probability > 0.5, np.where(_numpy(targets.skin) < 0, probability > 0.5, true))
    columns = [
        ("true labels", colours.probability_colours(true)),
        ("prediction", colours.probability_colours(probability)),
        ("mistakes: red false skin, yellow missed", mistakes),
    ]
    if outputs.distance_mm is not None:
        columns.append(("true distance, dark 20 mm", colours.skin_distance_colours(_numpy(targets.distance_mm))))
        columns.append(("predicted distance", colours.skin_distance_colours(_numpy(outputs.distance_mm))))
    if outputs.part is not None:
        columns.append(("true part", colours.part_colours(_numpy(targets.part))))  # -1 is the last entry: unknown
        columns.append(("predicted part", colours.part_colours(_numpy(outputs.part.argmax(-1)))))
    return [(title, np.concatenate([each.shade(values) for each in fragments], axis=1)) for title, values in columns]


def _numpy(values: torch.Tensor) -> NDArray:
    return values.detach().cpu().numpy()
