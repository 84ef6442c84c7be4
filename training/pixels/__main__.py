"""`python -m training.pixels fit|validate|test`."""

import os
import sys

if __name__ == "__main__":
    # `python -m` searches the folder that it is run in before all libraries: a json.py or pathlib.py there would be run
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != __file__.rsplit(os.sep, 3)[0]:  # noqa: PTH109
        del sys.path[0]
    from training.early_checks import PIXEL_ROOT, told_early

    if told_early(sys.argv[1:], PIXEL_ROOT):
        raise SystemExit(2)
    from training.pixels.cli import main

    raise SystemExit(main())
