"""`GridExplorer`: see every up-sampling method put its numbers together, cell by cell."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from anywidget import AnyWidget

from coursekit.widgets import explorer_checks as checks
from coursekit.widgets import seats
from coursekit.widgets.assets import joined
from coursekit.widgets.learned import evaluated, probed, table_of
from coursekit.widgets.pictures import State, as_text, atlas, atlas_for, fitted_input, what_it_takes
from coursekit.widgets.values import Grid, described, grid, plain, refusal, shape_of


class GridExplorer(AnyWidget):
    """Input, kernel, canvas and output of an up-sampling, with where every number comes from.

    Point at a cell, or move there with Tab and the arrow keys, and its arithmetic is written out. Type
    to change a value. ``n`` puts down the next input's stamp, ``p`` takes one back, the space bar plays.
    All of it happens in the browser, from the table ``data/atlas.json``.

    Parameters
    ----------
    method : str
        "transposed_conv", "resize_conv", "nearest", "bilinear", "bed_of_nails", "max_unpool" or
        "pixel_shuffle".
    x : rows of numbers (H, W)
        One to four a side. For "pixel_shuffle" the first channel; the others count on.
    kernel : rows of numbers (kh, kw), optional
        One to five a side; 3x3 ones if left out.
    stride : int
        1 to 3: steps between stamps, or the factor of a method without stamps.
    padding, output_padding : int
        As ``torch.nn.ConvTranspose2d``: what is cut off the canvas on every side, and what is kept of
        it beyond that at the bottom and on the right.
    panels : tuple of str
        "canvas" shows the uncropped canvas of a transposed convolution with its window; "matrix" what each
        input weighs in each output cell; "meter" how bright each seat of the block is for flat grey input,
        and how uneven that makes it: the checkerboard number of ``fingerprint``.
    methods : tuple of str, optional
        The methods on offer; all if left out.
    title : str

    Raises
    ------
    ValueError
        A value out of range, or a setting that cannot be, with the reason.

    Examples
    --------
    >>> explorer = GridExplorer(kernel=[[1] * 3] * 3, padding=1, output_padding=1)
    >>> explorer.output[1]                       # 10 = 1 + 2 + 3 + 4: here all four stamps overlap
    [4, 10, 6, 6]
    >>> explorer.window = (0, 0)                 # the crop that TensorFlow calls SAME
    >>> explorer.output[2]
    [4, 4, 10, 6]
    """

    _esm = joined("_grid.js", "_hearing.js", "explorer_panels.js", "grid_explorer.js")
    _css = joined("grid_explorer.css")

    atlas = traitlets.Any().tag(sync=True)
    learned = traitlets.Any(None, allow_none=True).tag(sync=True)
    base = traitlets.Any().tag(sync=True)
    methods = traitlets.Any().tag(sync=True)
    panels = traitlets.Any().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    method = traitlets.Any("transposed_conv").tag(sync=True)
    x = traitlets.Any().tag(sync=True)
    kernel = traitlets.Any().tag(sync=True)
    switches = traitlets.Any().tag(sync=True)
    settings = traitlets.Any().tag(sync=True)
    window = traitlets.Any(None, allow_none=True).tag(sync=True)
    step = traitlets.Any(None, allow_none=True).tag(sync=True)
    cell = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        method: str = "transposed_conv",
        x: Any = ((1, 2), (3, 4)),
        kernel: Any = None,
        stride: int = 2,
        padding: int = 0,
        output_padding: int = 0,
        panels: Sequence[str] = ("canvas",),
        methods: Sequence[str] | None = None,
        title: str = "",
    ) -> None:
        offered = checks.methods(methods, method)
        settings = checks.settings({"stride": stride, "padding": padding, "output_padding": output_padding})
        plane = grid(x, "x", sides=(1, 4))
        base = shape_of(plane)
        state = State(
            method=method,
            settings=settings,
            base=base,
            x=fitted_input(plane, base, settings["stride"] if what_it_takes(method) == "tiles" else 1),
            kernel=grid([[1] * 3] * 3 if kernel is None else kernel, "kernel", sides=(1, 5)),
            switches=_some_switches(base, settings["stride"]),
        )
        if state.problem:
            raise ValueError(f"Expected settings that fit together; got {settings}. {state.problem}")
        shown = {"methods": offered, "panels": checks.panels(panels), "title": str(title)}
        self._start(state, {**shown, "atlas": atlas_for(base)})

    def _start(self, state: State, shown: Mapping[str, Any]) -> None:
        traits = {name: getattr(state, name) for name in ("method", "settings", "x", "kernel", "switches")}
        super().__init__(base=list(state.base), **traits, **shown)

    @classmethod
    def of(
        cls,
        trace_or_callable: Any,
        *inputs: Any,
        name: str = "",
        title: str = "",
        panels: Sequence[str] = (),
        **settings: Any,
    ) -> GridExplorer:
        """The explorer on a function of one's own.

        Parameters
        ----------
        trace_or_callable : Trace or callable
            A trace, or anything that :func:`coursekit.upsampling.probe` can call.
        *inputs
            The grid, and the kernel if the callable takes one. If left out: [[1, 2], [3, 4]], and 3x3
            ones for a parameter called ``kernel`` or ``weight``.
        name : str
            What to call it; its own name if left out.
        title : str
        panels : tuple of str
            "matrix" and "meter", as for the explorer itself; there is no canvas to show.
        **settings
            Held settings, such as ``stride=2``.

        Returns
        -------
        GridExplorer
            With values that can be changed while the callable is linear or affine. If it is neither,
            the explorer says so and only shows.

        Raises
        ------
        TypeError, ValueError
            Not callable, not one plane, or too large to draw; and what the callable itself raises.

        Examples
        --------
        >>> import torch
        >>> GridExplorer.of(lambda x: 2 * x, torch.tensor([[1.0, 5.0]]), name="doubled").output
        [[2, 10]]
        """
        is_trace = hasattr(trace_or_callable, "output_index")
        if not is_trace and not callable(trace_or_callable):
            got = described(trace_or_callable)
            raise TypeError(refusal("a function or a Trace", got, "the function without its brackets"))
        trace = trace_or_callable if is_trace else probed(trace_or_callable, inputs, settings)
        shown = checks.panels(panels)
        table = table_of(trace, name, seats="meter" in shown)
        kernel = trace.kernel.tolist() if trace.kernel is not None else [[1]]
        base = (table["inShape"][0], table["inShape"][1])
        settings = {"stride": 2, "padding": 0, "output_padding": 0}
        x, weights = grid(trace.x, "x", sides=(1, 16)), grid(kernel, "kernel", sides=(1, 16))
        state = State("", settings, base, x, weights, switches=[[0]])
        explorer = cls.__new__(cls)
        explorer._start(
            state, {"learned": table, "methods": [], "panels": shown, "title": title, "atlas": {}}
        )
        return explorer

    @property
    def problem(self) -> str:
        """Why the present settings cannot be; empty if they can."""
        return "" if self.learned else self._state().problem

    @property
    def output(self) -> Grid:
        """The output grid, computed afresh from the present values.

        Raises
        ------
        ValueError
            Settings that cannot be, with the reason.
        """
        if self.learned:
            return evaluated(self.learned, self.x, self.kernel)
        return self._state().output()

    def _state(self, **changes: Any) -> State:
        names = ("method", "settings", "x", "kernel", "switches", "window")
        found = {name: getattr(self, name) for name in names}
        return State(**{**found, "base": (self.base[0], self.base[1]), **changes})

    # ---- what comes back from the browser, and from Python

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends: only what may be edited, and all of it together or none."""
        try:
            changes = checks.cleaned(sync_data, self._values())
        except ValueError:
            self.send_state(list(checks.CHECKS))
            return
        super().set_state(changes)

    @traitlets.validate(*checks.CHECKS)
    def _checked(self, proposal: Any) -> Any:
        name = proposal["trait"].name
        try:
            return checks.CHECKS[name](proposal["value"], self._values())
        except ValueError as reason:
            raise traitlets.TraitError(str(reason)) from None

    @traitlets.observe("method", "settings")
    def _refit(self, change: Any) -> None:
        """Let input and switches follow a method or a factor that Python sets."""
        if self.learned or not self.base:
            return
        stride, most = self.settings["stride"], self.settings["stride"] ** 2 - 1
        tiles = stride if what_it_takes(self.method) == "tiles" else 1
        if shape_of(self.x) != (self.base[0] * tiles, self.base[1] * tiles):
            self.x = fitted_input(self.x, (self.base[0], self.base[1]), tiles)
        self.switches = [[min(place, most) for place in row] for row in self.switches]

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*checks.CHECKS, "learned", "base", "methods")}

    # ---- what is shown without scripts

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data: Any = bundle[0] if isinstance(bundle, tuple) else bundle
        text = self.as_text()
        data["text/plain"] = text
        data["text/html"] = f"<pre>{html.escape(text)}</pre>"
        return bundle

    def __repr__(self) -> str:
        return f"GridExplorer({self.learned['name'] if self.learned else self.method}, {shape_of(self.x)})"

    def as_text(self) -> str:
        """Settings and grids as text."""
        grids = {"input": self.x}
        takes = ("kernel" if self.learned["kernelShape"] else "grid") if self.learned else self._state().takes
        if takes in ("kernel", "switches"):
            grids[takes] = self.kernel if takes == "kernel" else self.switches
        name = self.learned["name"] if self.learned else self.method
        settings = self.learned["settings"] if self.learned else self._used_settings()
        head = ", ".join([name, *(f"{key}={value}" for key, value in settings.items())])
        if self.problem:
            return as_text({head: self.x}) + f"\n{self.problem}"
        if not self.learned and self.method == "transposed_conv" and "canvas" in self.panels:
            plain = {**self.settings, "padding": 0, "output_padding": 0}
            grids["canvas"] = self._state(settings=plain, window=None).output()
        return (
            f"{head}\n" + as_text({**grids, "output": self.output, **self._panel_grids()}) + self._reading()
        )

    def _seats(self) -> seats.Gains | None:
        if "meter" not in self.panels:
            return None
        return seats.of_table(self.learned, self.kernel) if self.learned else seats.of_state(self._state())

    def _panel_grids(self) -> dict[str, Grid]:
        """What the open panels show, as grids."""
        found = self._seats()
        matrix = {"matrix": self._matrix()} if "matrix" in self.panels else {}
        return {**matrix, **({"brightness of each seat for flat grey": found} if found else {})}

    def _reading(self) -> str:
        found = self._seats()
        return f"\ncheckerboard {seats.unevenness(found):.3g}" if found else ""

    def _matrix(self) -> Grid:
        """Output cells down, input cells across: what each impulse alone gives, less what nothing gives."""
        height, width = shape_of(self.x)
        nothing = self._flat_output([[0] * width for _ in range(height)])
        columns = [
            self._flat_output(
                [[int((r, c) == divmod(at, width)) for c in range(width)] for r in range(height)]
            )
            for at in range(height * width)
        ]
        rows = zip(*columns, strict=True)
        return [[plain(one - rest) for one in row] for row, rest in zip(rows, nothing, strict=True)]

    def _flat_output(self, x: Grid) -> list[float]:
        if self.learned:
            output = evaluated(self.learned, x, self.kernel)
        else:
            output = self._state(x=x).output()
        return [value for row in output for value in row]

    def _used_settings(self) -> dict[str, int]:
        key = atlas()["methods"][self.method]["key"]
        return {name: self.settings[name] for name in checks.SETTINGS if name in key}


def _some_switches(base: tuple[int, int], stride: int) -> Grid:
    """Places in the block that differ from cell to cell, as a real pooling leaves them."""
    places = [3, 1, 0, 2, 1, 2, 3, 0]
    rows, columns = base
    return [[places[(r * columns + c) % 8] % stride**2 for c in range(columns)] for r in range(rows)]
