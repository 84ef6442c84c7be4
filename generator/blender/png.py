"""PNG files reduced to their picture: Cycles writes render times into them, which no setting turns off."""

from __future__ import annotations

import struct
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def strip_metadata(path: Path) -> bool:
    """Rewrite a PNG file without any chunk that a decoder can do without; False where it is not whole."""
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE) or data[-8:-4] != b"IEND":
        return False
    kept, position = [_SIGNATURE], len(_SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        end = position + 12 + length
        if kind in _NEEDED:
            kept.append(data[position:end])
        position = end
    path.write_bytes(b"".join(kept))
    return True
