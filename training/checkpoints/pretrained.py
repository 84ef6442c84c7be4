"""The labeller that comes with the program."""

from pathlib import Path

PRETRAINED = Path(__file__).resolve().parents[1] / "pretrained" / "skin.ckpt"
