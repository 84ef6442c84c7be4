"""Files of the user's settings, distributions and rigs: JSON, or YAML where this Python has PyYAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capture import InputError, read_json


def read_settings(path: Path, what: str) -> Any:
    """The value in a JSON or YAML file; raises `InputError` that names the file and the cure."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return read_json(path, what)
    try:
        import yaml
    except ModuleNotFoundError:
        cure = "give the same as JSON, or install PyYAML for it"
        raise InputError(f"{path}: the Python that runs this reads no YAML; {cure}") from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"can't read the {what} {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path}: not valid YAML: {line}") from None
