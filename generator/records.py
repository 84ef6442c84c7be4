"""Frozen dataclasses to JSON and back, strictly: unknown or missing keys are errors that name their place."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from capture import InputError

RecordT = TypeVar("RecordT")


def to_json(value: Any) -> Any:
    """A JSON value of a dataclass, tuple, mapping, array, path or scalar."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {_key(field): to_json(each) for field, each in given if not (_optional(field) and each == field.default)}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return str(value) if isinstance(value, PurePath) else value


def from_json(kind: type[RecordT], value: Any, where: str) -> RecordT:
    """The dataclass `kind` in a parsed JSON value; `where` names its place in errors."""
    return typing.cast(RecordT, _read(kind, value, where))


def _key(field: dataclasses.Field[Any]) -> str:
    """The key of a field in files: its name, or an older one that `metadata={"key": ...}` keeps."""
    return str(field.metadata.get("key", field.name))


def _optional(field: dataclasses.Field[Any]) -> bool:
    """Whether files have the field only where it isn't as usual: those of before it was there stay as they are."""
    return bool(field.metadata.get("optional"))


def _added(field: dataclasses.Field[Any]) -> bool:
    """Whether files may lack the field, as those of before it was there do: it is then as it was in them."""
    return bool(field.metadata.get("added"))


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _read_record(typing.cast(type, kind), value, where)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return _read(next(a for a in arguments if a is not type(None)), value, where)
    if origin is Mapping:
        if not isinstance(value, dict):
            raise InputError(f"{where}: an object is needed, got {type(value).__name__}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise InputError(f"{where}: a list is needed, got {type(value).__name__}")
        inner = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        if len(inner) != len(value):
            raise InputError(f"{where}: {len(inner)} values are needed, got {len(value)}")
        return tuple(_read(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(inner, value, strict=True)))
    if origin is typing.Literal:
        if value not in arguments:
            raise InputError(f"{where}: one of {', '.join(map(repr, arguments))} is needed, got {value!r}")
        return value
    if origin is np.ndarray:
        return _read_array(value, where)
    return _read_scalar(kind, value, where)


def _read_array(value: Any, where: str) -> NDArray[np.float64]:
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{where}: numbers in lists of equal length are needed") from None
    if not isinstance(value, list) or not np.isfinite(array).all():
        raise InputError(f"{where}: finite numbers in lists are needed")
    return array


def _read_record(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{where}: an object is needed, got {type(value).__name__}")
    names = {_key(field): field.name for field in dataclasses.fields(kind)}
    needed = {_key(field) for field in dataclasses.fields(kind) if not (_optional(field) or _added(field))}
    hints = typing.get_type_hints(kind)
    unknown, missing = set(value) - set(names), needed - set(value)
    if unknown or missing:
        keys = ", ".join(sorted(unknown or missing))
        raise InputError(f"{where}: {'unknown' if unknown else 'missing'} {keys}")
    fields = {name: _read(hints[name], value[key], f"{where}.{key}") for key, name in names.items() if key in value}
    try:
        return kind(**fields)
    except InputError as error:  # what the record itself refuses
        raise InputError(f"{where}: {error}") from None


def _read_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise InputError(f"{where}: a finite number is needed, got {value}")
        return float(value)
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise InputError(f"{where}: {getattr(kind, '__name__', kind)} is needed, got {value!r}")
