"""TFLite models, run by LiteRT on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capture import InputError


def load_tflite(content: bytes, where: str, what: str, extra: str, cure: str) -> Any:
    """The interpreter of a TFLite model, ready to run on one core.

    Args:
        content: of the `.tflite` file.
        where: name of the file in errors.
        what: the program's part that needs it, in errors.
        extra: of this package, that LiteRT comes with.
        cure: that ends the error of a file that is no such model.

    Raises:
        InputError: where LiteRT is not installed, or doesn't run the file.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter  # an extra of its own: nothing else needs it
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "ai_edge_litert":
            raise
        install = f"pip install 'pixels2points[{extra}]' (from a clone: '.[{extra}]')"
        raise InputError(f"{what} needs LiteRT, which is not installed; {install}") from None
    try:
        model = Interpreter(model_content=content, num_threads=1)
        model.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        raise InputError(f"{where} is no TFLite model that LiteRT runs ({reason}); {cure}") from None
    return model


def tensor_indices(
    model: Any, taken: Sequence[int], given: Sequence[Sequence[int]], where: str, cure: str
) -> tuple[int, ...]:
    """Indices of a model's one input and of its outputs by their shapes: the input first, then as `given` has them.

    Raises `InputError`, which names the file by `where` and ends with `cure`, where the model has others.
    """
    inputs, outputs = (
        [_shape(end) for end in ends] for ends in (model.get_input_details(), model.get_output_details())
    )
    wanted = [tuple(shape) for shape in given]
    if inputs != [tuple(taken)] or any(outputs.count(shape) != 1 for shape in wanted):
        raise InputError(f"{where} is another model: it takes {_text(inputs)} and gives {_text(outputs)}; {cure}")
    index = {_shape(end): int(end["index"]) for end in model.get_output_details()}
    return int(model.get_input_details()[0]["index"]), *(index[shape] for shape in wanted)


def _shape(end: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(length) for length in end["shape"])


def _text(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(" x ".join(map(str, shape)) or "a number" for shape in shapes) or "nothing"
