"""Segmenters of single images, which the labeller on the scan is compared with."""

from evaluation.baselines.segmenter import SKIN_CLASSES, PixelSegmenter

__all__ = ["SKIN_CLASSES", "PixelSegmenter"]
