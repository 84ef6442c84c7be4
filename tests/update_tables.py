"""Write the tables of the documents that are made from the program: `python tests/update_tables.py`.

With `--check` nothing is written: it ends with a line that names a document whose tables are out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS.parent))


def main(check: bool) -> None:
    from assets.makehuman.model import load_default_model
    from generator.reference import asset_table, override_tables

    tables = {
        "distributions.md": {"overrides": override_tables(load_default_model())},
        "assets.md": {"assets": asset_table()},
    }
    for name, made in tables.items():
        path = DOCS / name
        text = path.read_text(encoding="utf-8")
        for table, content in made.items():
            begin, end = f"<!-- {table}: made by tests/update_tables.py -->\n", f"<!-- {table}: end -->"
            if begin not in text or end not in text:
                sys.exit(f"{path}: its marks of the table {table!r} are missing")
            text = re.sub(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", lambda _, made=content: made, text)
        if text == path.read_text(encoding="utf-8"):
            continue
        if check:
            sys.exit(f"{path}: its tables are out of date; run python tests/update_tables.py")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
