"""Sheets of titled pictures, and legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from scans.pictures.mesh_renderer import Picture


def legend(entries: Mapping[str, tuple[int, int, int]]) -> Picture:
    """Names beside squares of their colours, one below the other."""
    line, width = 16, 120
    page = Image.new("RGB", (width, line * max(len(entries), 1)), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for number, (name, colour) in enumerate(entries.items()):
        top = number * line
        draw.rectangle((2, top + 3, 12, top + 13), fill=colour)
        draw.text((18, top + 2), name, fill=(40, 40, 40))
    return np.asarray(page)


def sheet(rows: Sequence[Sequence[tuple[str, Picture]]]) -> Picture:
    """Rows of titled pictures on one page, columns flush left."""
    gap, title_height = 6, 16
    columns = range(max(map(len, rows)))
    widths = [max(row[i][1].shape[1] for row in rows if i < len(row)) for i in columns]
    heights = [title_height + max(picture.shape[0] for _, picture in row) + gap for row in rows]
    page = Image.new("RGB", (sum(widths) + gap * (len(widths) + 1), sum(heights)), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        left, top = gap, sum(heights[:number])
        for (title, picture), width in zip(row, widths, strict=False):
            draw.text((left + 2, top + 2), title, fill=(40, 40, 40))
            page.paste(Image.fromarray(picture), (left, top + title_height))
            left += width + gap
    return np.asarray(page)
