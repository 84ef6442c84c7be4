"""`python -m training fit|validate|test|predict`."""

import os
import sys

if __name__ == "__main__":
    # `python -m` searches the folder that it is run in before all libraries: a json.py or pathlib.py there would be run
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != __file__.rsplit(os.sep, 2)[0]:  # noqa: PTH109
        del sys.path[0]
    from training.early_checks import told_early

    if told_early(sys.argv[1:]):
        raise SystemExit(2)
    from training.cli import main

    raise SystemExit(main())
