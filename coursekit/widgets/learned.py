"""A trace of any callable, as the explorer's table: what `GridExplorer.of` shows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from coursekit.widgets.seats import terms_of_seats
from coursekit.widgets.values import Grid, plain, refusal

_MOST_SIDE = 16
_NOTES = {
    "linear": "",
    "affine": "Affine: something is added everywhere, whatever the input.",
    "local": "Neither linear nor affine: the picture holds for these values only, so they are fixed.",
}


def table_of(trace: Any, name: str, seats: bool = False) -> dict[str, Any]:
    """A trace as plain lists.

    Parameters
    ----------
    trace : coursekit.upsampling.Trace
        Of a grid of two axes to a grid of two axes.
    name : str
        What to call the callable; its own name where empty.
    seats : bool
        Whether the checkerboard meter is shown, for which the callable is tried on a larger grid.

    Raises
    ------
    ValueError
        Other axes, or a grid too large to draw.
    """
    kernel = trace.kernel
    planes = {"input": trace.x, "output": trace.output, **({"kernel": kernel} if kernel is not None else {})}
    for what, values in planes.items():
        shape = tuple(values.shape)
        if len(shape) != 2 or max(shape) > _MOST_SIDE:
            expected = f"one plane (H, W) as {what}, up to {_MOST_SIDE} a side"
            raise ValueError(refusal(expected, f"shape {shape}", "one plane, x[0, 0]"))
    columns = (trace.input_index, trace.weight_index, trace.output_index, trace.gains)
    rows = [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return {
        "name": name or trace.name,
        "kind": trace.kind,
        "note": _NOTES[trace.kind],
        "rest": "the slopes leave this" if trace.kind == "local" else "added whatever the input",
        "inShape": list(trace.x.shape),
        "kernelShape": list(kernel.shape) if kernel is not None else None,
        "outShape": list(trace.output.shape),
        "rows": rows,
        "offset": trace.offset.flatten().tolist(),
        "settings": {key: str(value) for key, value in trace.settings.items()},
        "seats": terms_of_seats(trace) if seats else None,
    }


def evaluated(table: dict[str, Any], x: Grid, kernel: Grid) -> Grid:
    """The output that the table gives for these values."""
    height, width = table["outShape"]
    out, flat_x = list(table["offset"]), [value for row in x for value in row]
    weights = [value for row in kernel for value in row]
    for i, w, o, gain in table["rows"]:
        out[o] += gain * flat_x[i] * (weights[w] if w >= 0 else 1)
    return [[plain(value) for value in out[r * width : (r + 1) * width]] for r in range(height)]


def probed(method: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The trace of a callable; what it needs and was not given is filled in by its parameters' names."""
    import torch  # only here: pages that show the stored methods never pay for it

    from coursekit.upsampling import probe

    given = [torch.tensor(value).float() if isinstance(value, list) else value for value in inputs]
    usual = {
        "kernel": torch.ones(3, 3), "weight": torch.ones(3, 3), "weights": torch.ones(3, 3),
        "stride": 2, "factor": 2, "padding": 0, "output_padding": 0,
    }  # fmt: skip
    if not given:
        given.append(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    for parameter in _required(method)[len(given) :]:
        if parameter not in settings and parameter in usual:
            value = usual[parameter]
            if isinstance(value, torch.Tensor):
                given.append(value)
            else:
                settings = {**settings, parameter: value}
    return probe(method, *given, **settings)


def _required(method: Callable[..., Any]) -> list[str]:
    """Names of the positional parameters without a default."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):  # builtins do not always tell
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty]
