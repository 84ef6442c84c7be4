"""Traits of captures that a labeller was trained on: the numbers of `training/pretrained/skin.json`.

python -m benchmarks.traits captures/head_00000001 captures/head_00000004
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scans.head_sample import HeadSample
from scans.traits import ScanTraits, TrainingTraits


def main() -> None:
    """Print the traits of each capture, and their ranges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=Path, nargs="+")
    found = []
    for folder in parser.parse_args().captures:
        found.append(ScanTraits.of_head(HeadSample.from_capture(folder)))
        print(folder.name, json.dumps(found[-1].to_json()))
    print("all", json.dumps(TrainingTraits.of_heads(found).to_json()))


if __name__ == "__main__":
    main()
