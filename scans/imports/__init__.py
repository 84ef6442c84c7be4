"""Cameras of other programs, made captures: `p2p import`.

One file a format, one record of what they say (`records`), one table of them (`table`), one writer (`writing`).
"""

from scans.imports.importing import import_cameras
from scans.imports.report import ImportReport

__all__ = ["ImportReport", "import_cameras"]
