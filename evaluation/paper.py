"""What is known of the paper's results (Chen et al., "Pixels2Points", Eurographics 2025 short papers).

Its tables are pictures: the cells below are those that its abstract and supplement say in words or that can be read off
a plot. None stands for a cell that nobody has typed in yet; the page says so rather than leave it blank.
"""

from __future__ import annotations

# Training heads -> mIoU on synthetic heads; the supplement's curve over the size of the data set.
SIZE_CURVE: dict[int, float] = {10: 0.81, 50: 0.875, 500: 0.90, 2500: 0.93}

# By how much less the registration's distance is than with the best baseline of a kind (abstract).
BETTER_THAN = {"2D": 0.0889, "3D": 0.143}
