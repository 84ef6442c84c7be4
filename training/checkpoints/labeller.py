"""Reading the labeller's checkpoints."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from capture import InputError, read_json
from capture.files import sha256_of
from scans.traits import TrainingTraits
from training.checkpoints.files import read_checkpoint_file
from training.model.calibration import Calibration
from training.model.network import SCHEMA_VERSION, LabellerNetwork, check_backbone
from training.preparation.settings import Preparation

# Options that the network has no use for.
_TRAINING = ("learning_rate", "weight_decay", "schedule", "skin_weight", "label_noise", "variance_jitter")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The tensors and plain values of a checkpoint. Raises `InputError` where it is missing or holds anything else."""
    return read_checkpoint_file(path, "labeller", "a skin labeller", "train one with `p2p fit`")


def load_labeller(path: Path) -> LabellerNetwork:
    """The trained labeller, ready to predict, with its `preparation`. Raises `InputError` if the file is unusable."""
    value = read_checkpoint(path)
    description = value["labeller"]
    version = description.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}; train it again")
    options = {key: item for key, item in value.get("hyper_parameters", {}).items() if not key.startswith("_")}
    for name in _TRAINING:
        options.pop(name, None)
    try:
        labeller = LabellerNetwork(**options)
        preparation = Preparation.from_json(description["preparation"])
        labeller.build(preparation, description["channels"], description.get("token_channels", 0))
        labeller.load_state_dict(value["state_dict"])
        labeller.training_heads = description.get("training_heads")
        labeller.training_ids = tuple(description.get("training_ids", ()))
        labeller.validation_ids = tuple(description.get("validation_ids", ()))
        labeller.training_traits = _training_traits(path, description)
        labeller.calibration = Calibration.from_json(description.get("calibration"))
    except InputError as error:
        raise InputError(f"{path} can't be used: {error}") from None
    except (TypeError, KeyError, AttributeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} doesn't fit this program ({str(error).splitlines()[0]}); train it again") from None
    assert labeller.preparation is not None
    check_backbone(description, labeller.preparation)
    return labeller.eval()


def _training_traits(path: Path, description: dict[str, Any]) -> TrainingTraits | None:
    """Those that the checkpoint holds; of one from before they were recorded, those of a JSON file beside it."""
    if (recorded := description.get("training_traits")) is not None:
        return TrainingTraits.from_json(recorded)
    beside = Path(path).with_suffix(".json")
    if not beside.is_file():
        return None
    try:
        value = read_json(beside, "traits of the training heads")
    except InputError:  # something else that is called so
        return None
    if not isinstance(value, dict) or value.get("checkpoint_sha256") != sha256_of(path):
        return None
    return TrainingTraits.from_json(value)


def labeller_of(checkpoint: Path) -> LabellerNetwork:
    """The labeller of a checkpoint, read once for many captures; a file that changed is read anew.

    Raises as `load_labeller` does.
    """
    if not checkpoint.is_file():
        return load_labeller(checkpoint)  # says what is wrong
    return _read_once(str(checkpoint.resolve()), checkpoint.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read_once(checkpoint: str, modified: int) -> LabellerNetwork:
    return load_labeller(Path(checkpoint))
