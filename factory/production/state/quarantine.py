"""Records of seeds that failed or were rejected: `quarantine/<head>.json` in the store, never tried again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from factory.dataset.store import Store
from factory.stages.seeds import head_name

QUARANTINE = "quarantine"  # the folder in the store
_RECORD = re.compile(r"head_(\d{8})\.json")


def quarantined_seeds(store: Store) -> set[int]:
    """Seeds with a record in quarantine."""
    matches = map(_RECORD.fullmatch, store.sizes(QUARANTINE))
    return {int(match[1]) for match in matches if match}


def put_in_quarantine(store: Store, seed: int, attempts: Iterable[Mapping[str, object]], verdict: str) -> None:
    """Write the record of a seed: its failed attempts (`HeadError.details`) and, in one line, why it was replaced."""
    record = {"id": head_name(seed), "seed": seed, "verdict": verdict, "attempts": list(attempts)}
    store.write(f"{QUARANTINE}/{head_name(seed)}.json", (json.dumps(record, indent=2) + "\n").encode())
