"""`python -m factory.cli`: the same as `p2p`."""

import sys

from factory.cli.main import main

sys.exit(main())
