"""Render captures of synthetic heads: what `blender --background --python` runs, and a program of its own with bpy.

blender --background --python blender_scripts/generate.py -- --seed 0 --out captures/head_00000000
python blender_scripts/generate.py --seeds 0:4 --out-root captures --resolution 512 --samples 16

Progress goes to stdout, one line each: `p2p-progress <capture> view <done>/<total>`, and at the end the seconds of each
step: `p2p-times <capture> <JSON>`. The exit code is 0 where every
capture is whole, 2 for a mistake of the caller (one line on stderr), 1 for anything else.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("assets", "capture", "generator")
NEEDED = {
    "bpy": "run it through Blender (blender --background --python ...) or `pip install 'pixels2points[render]'`",
    "numpy": "install numpy for the Python that runs this",
}


class OurPackages:
    """Finds our packages beside this script, and of what else lies there nothing: no library for another Python."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As Python's import system asks for it."""
        return PathFinder.find_spec(name, [str(ROOT)]) if name in PACKAGES else None


def run() -> int:
    """Find our packages, then hand over."""
    sys.meta_path.insert(0, OurPackages)
    try:
        from capture.runtime.lifetime import end_with_parent
        from generator.blender.command import main
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        sys.stderr.write(f"error: {sys.executable} has no module {error.name}; {NEEDED[error.name]}\n")
        return 2
    end_with_parent()
    after_blenders_own = sys.argv.index("--") + 1 if "--" in sys.argv else 1
    return main(sys.argv[after_blenders_own:])


if __name__ == "__main__":
    import contextlib
    import os
    import traceback

    try:
        code = run()
    except BaseException:  # noqa: BLE001 - reported, and turned into the exit code
        traceback.print_exc()
        code = 1
    if "bpy" in sys.modules:
        with contextlib.suppress(OSError):  # Blender would remove its folder for temporary files at a proper exit
            Path(sys.modules["bpy"].app.tempdir).rmdir()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender swallows the exceptions of a script, SystemExit included, and would exit with 0
