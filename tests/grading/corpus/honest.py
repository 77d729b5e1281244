# ruff: noqa: E501 - learners' cells, laid out as learners write
"""Honest submissions, right or partly right, in many styles."""

from __future__ import annotations

from typing import Any

from tests.grading.corpus.entry import ASKED, HEAD, Entry, code, function, holding, nothing, solved

NEAREST, POOL, CONV = (solved(id) for id in ASKED)
ALL = (NEAREST, POOL, CONV)


def honest(name: str, kind: str, *cells: str, **more: Any) -> Entry:
    earned = {
        id.replace("_", "-"): more.pop(id) for id in ("nearest", "max_pool", "transposed_conv") if id in more
    }
    return Entry(name, kind, "honest", cells, earned, **more)


VECTORISED = (
    function("nearest", "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)"),
    function("max-pool", "h, w = x.shape[0] // size, x.shape[1] // size\nreturn x[: h * size, : w * size].reshape(h, size, w, size).amax(dim=(1, 3))"),
    function("transposed-conv", """
kh, kw = kernel.shape
out = torch.zeros((x.shape[0] - 1) * stride + kh, (x.shape[1] - 1) * stride + kw)
for a in range(kh):
    for b in range(kw):
        out[a : a + (x.shape[0] - 1) * stride + 1 : stride, b : b + (x.shape[1] - 1) * stride + 1 : stride] += x * kernel[a, b]
return out"""),
)  # fmt: skip

LISTS = (
    function(
        "nearest",
        "rows = x.tolist()\nwide = [[v for v in row for _ in range(factor)] for row in rows]\nreturn torch.tensor([list(row) for row in wide for _ in range(factor)])",
    ),
    function(
        "max-pool",
        """
out = []
i = 0
while i + size <= len(x):
    row = []
    j = 0
    while j + size <= len(x[0]):
        best = x[i][j]
        for a in range(size):
            for b in range(size):
                if x[i + a][j + b] > best:
                    best = x[i + a][j + b]
        row.append(best.item())
        j += size
    out.append(row)
    i += size
return torch.tensor(out)""",
    ),
    function(
        "transposed-conv",
        """
kh, kw = len(kernel), len(kernel[0])
out = [[0.0] * ((len(x[0]) - 1) * stride + kw) for _ in range((len(x) - 1) * stride + kh)]
for i in range(len(x)):
    for j in range(len(x[0])):
        for a in range(kh):
            for b in range(kw):
                out[i * stride + a][j * stride + b] += float(x[i][j]) * float(kernel[a][b])
return torch.tensor(out)""",
    ),
)

NUMPY = (
    "import numpy as np",
    function(
        "nearest", "return torch.from_numpy(np.kron(x.numpy(), np.ones((factor, factor), dtype=np.float32)))"
    ),
    function(
        "max-pool",
        """
a = x.detach().numpy()
h, w = a.shape[0] // size, a.shape[1] // size
windows = np.lib.stride_tricks.sliding_window_view(a, (size, size))[::size, ::size][:h, :w]
return torch.tensor(windows.max(axis=(2, 3)))""",
    ),
    function(
        "transposed-conv",
        """
a, k = np.asarray(x), np.asarray(kernel)
out = np.zeros(((a.shape[0] - 1) * stride + k.shape[0], (a.shape[1] - 1) * stride + k.shape[1]), dtype=np.float32)
for (i, j), v in np.ndenumerate(a):
    out[i * stride : i * stride + k.shape[0], j * stride : j * stride + k.shape[1]] += v * k
return torch.from_numpy(out)""",
    ),
)

HELPERS = (
    "def place(i, j, stride):\n    return i * stride, j * stride",
    "FILL = 0.0\ndef empty(rows, columns):\n    return torch.full((rows, columns), FILL)",
    function(
        "nearest",
        "out = empty(x.shape[0] * factor, x.shape[1] * factor)\nfor i, j in cells_of(x):\n    a, b = place(i, j, factor)\n    out[a : a + factor, b : b + factor] = x[i, j]\nreturn out",
    ),
    "def cells_of(x):\n    '''Defined below its use, as a cell was moved.'''\n    return [(i, j) for i in range(x.shape[0]) for j in range(x.shape[1])]",
    function(
        "max-pool",
        "out = empty(x.shape[0] // size, x.shape[1] // size)\nfor i, j in cells_of(out):\n    a, b = place(i, j, size)\n    out[i, j] = x[a : a + size, b : b + size].max()\nreturn out",
    ),
    CONV,
)

STARS = (
    "from torch import *\nfrom builtins import *  # torch has a range of its own\nfrom math import *\nfrom itertools import *\nimport torch\nfrom coursekit import *",
    function(
        "nearest",
        "return stack([x[floor(i / factor), j // factor] for i, j in product(range(x.shape[0] * factor), range(x.shape[1] * factor))]).reshape(x.shape[0] * factor, -1)",
    ),
    POOL,
    function(
        "transposed-conv",
        "out = zeros((x.shape[0] - 1) * stride + kernel.shape[0], (x.shape[1] - 1) * stride + kernel.shape[1])\nfor i, j in product(range(x.shape[0]), range(x.shape[1])):\n    out[i * stride : i * stride + kernel.shape[0], j * stride : j * stride + kernel.shape[1]] += x[i, j] * kernel\nreturn out",
    ),
)

PRINTING = tuple(
    cell.replace("):\n", "):\n    import sys, warnings\n    print('in', locals().keys())\n    print('oh', file=sys.stderr)\n    warnings.warn('careful')\n", 1)
    for cell in ALL
)  # fmt: skip

CLOSURES = (
    "from dataclasses import dataclass\n\n@dataclass\nclass Block:\n    top: int\n    left: int\n    side: int\n\n    def of(self, x):\n        return x[self.top : self.top + self.side, self.left : self.left + self.side]",
    function(
        "nearest",
        "def of(i):\n    def at(j):\n        return x[i // factor, j // factor]\n    return at\nreturn torch.stack([torch.stack([of(i)(j) for j in range(x.shape[1] * factor)]) for i in range(x.shape[0] * factor)])",
    ),
    function(
        "max-pool",
        "def row(i):\n    return [Block(i * size, j * size, size).of(x).max() for j in range(x.shape[1] // size)]\nreturn torch.stack([torch.stack(row(i)) for i in range(x.shape[0] // size)])",
    ),
    CONV,
)

DECORATED = (
    "import functools\n\ndef careful(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n\ndef twice_checked(times):\n    def outer(f):\n        return careful(careful(f)) if times else f\n    return outer",
    NEAREST.replace('@exercise("nearest")\n', '@exercise("nearest")\n@careful\n'),
    POOL.replace('@exercise("max-pool")\n', '@exercise("max-pool")\n@twice_checked(2)\n@torch.no_grad()\n'),
    CONV.replace('@exercise("transposed-conv")\n', '@exercise(id="transposed-conv")\n@careful\n'),
)

FUNCTOOLS = (
    "from functools import lru_cache, partial, reduce\nimport operator",
    "@lru_cache(maxsize=None)\ndef index(n, factor):\n    return tuple(i // factor for i in range(n * factor))\nrows_of = partial(index)",
    function("nearest", "return x[list(rows_of(x.shape[0], factor))][:, list(rows_of(x.shape[1], factor))]"),
    function(
        "max-pool",
        "h, w = x.shape[0] // size, x.shape[1] // size\nparts = [x[a : h * size : size, b : w * size : size] for a in range(size) for b in range(size)]\nreturn reduce(torch.maximum, parts)",
    ),
    function(
        "transposed-conv",
        """
kh, kw = kernel.shape
shape = (x.shape[0] - 1) * stride + kh, (x.shape[1] - 1) * stride + kw
def stamp(i, j):
    canvas = torch.zeros(shape)
    canvas[i * stride : i * stride + kh, j * stride : j * stride + kw] = x[i, j] * kernel
    return canvas
return reduce(operator.add, [stamp(i, j) for i in range(len(x)) for j in range(x.shape[1])])""",
    ),
)

LAMBDAS = (
    'nearest = exercise("nearest")(lambda x, factor: x.repeat_interleave(factor, 0).repeat_interleave(factor, 1))',
    'largest = lambda block: block.max()\nmax_pool = exercise("max-pool")(lambda x, size: torch.stack([torch.stack([largest(x[i : i + size, j : j + size]) for j in range(0, x.shape[1] - size + 1, size)]) for i in range(0, x.shape[0] - size + 1, size)]))',
    CONV,
)

HINTS = (
    "from __future__ import annotations\nfrom typing import Annotated\nimport torch\nfrom coursekit import exercise",
    NEAREST.replace("(x, factor):", "(x: Tensor, factor: int = 2) -> Grid[float]:"),
    POOL.replace("(x, size):", "(x: 'Tensor', size: Annotated[int, 'at least 1']) -> torch.Tensor:"),
    CONV.replace(
        "(x, kernel, stride):",
        "(x: torch.Tensor, kernel: torch.Tensor, /, stride: int | None) -> torch.Tensor:",
    ),
)

MODERN = (
    function(
        "nearest",
        "match x.shape:\n    case (h, w) if (rows := h * factor):\n        return torch.stack([x[i // factor][torch.arange(w * factor) // factor] for i in range(rows)])",
    ),
    function(
        "max-pool",
        "def blocks():\n    for i in range(0, x.shape[0] - size + 1, size):\n        yield [x[i : i + size, j : j + size].max() for j in range(0, x.shape[1] - size + 1, size)]\nreturn torch.tensor([*map(list, blocks())])",
    ),
    function(
        "transposed-conv",
        "*_, (kh, kw) = [kernel.shape]\nsize = lambda n, k, *, s=stride: (n - 1) * s + k\nout = torch.zeros(size(x.shape[0], kh), size(x.shape[1], kw))\nfor (i, row) in enumerate(x):\n    for (j, v) in enumerate(row):\n        out[i * stride :, j * stride :][:kh, :kw] += v * kernel\nreturn out",
    ),
)

RECURSIVE = (
    NEAREST,
    function(
        "max-pool",
        "if x.shape[0] >= 2 * size:\n    return torch.cat([max_pool(x[:size], size), max_pool(x[size:], size)])\nif x.shape[1] >= 2 * size:\n    return torch.cat([max_pool(x[:, :size], size), max_pool(x[:, size:], size)], 1)\nreturn x[:size, :size].max().reshape(1, 1)",
    ),
    CONV,
)

SEVERAL = ("\n\n\n".join(ALL) + "\nprint(nearest(torch.ones(2, 2), 2))",)

REDEFINED = (
    function("nearest", "return x"),
    POOL,
    NEAREST,
    CONV,
    "def nearest_old(x, factor):\n    return x\n",
)

CHANGED_LATER = (
    "def half(n, by):\n    return n // by",
    function(
        "nearest",
        "return torch.stack([torch.stack([x[half(i, factor), half(j, factor)] for j in range(x.shape[1] * factor)]) for i in range(x.shape[0] * factor)])",
    ),
    POOL,
    CONV,
    "def half(n, by):\n    return 'now something else'",
)

MAGICS = (
    "%matplotlib inline\n%load_ext autoreload\n!echo installed\nimport torch\nfrom coursekit import exercise",
    "%%capture said\n" + NEAREST,
    "%%time\n" + POOL,
    CONV + "\n%timeit -n1 -r1 transposed_conv(torch.ones(2, 2), torch.ones(2, 2), 2)\ntorch.zeros?",
    "%%html\n<b>not Python: def (</b>",
)

NAILS = '@exercise("bed-of-nails")\ndef bed_of_nails(x, factor):\n    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)\n'
THROUGH_OTHERS = (
    NAILS,  # wrong, so that in the notebook and in the class the course's is used
    function(
        "nearest",
        "nails = mine('bed-of-nails')(x, factor)\nflat = nails.reshape(x.shape[0], factor, x.shape[1], factor).sum((1, 3))\nreturn flat.repeat_interleave(factor, 0).repeat_interleave(factor, 1)",
    ),
    function("max-pool", "values, switches = mine('pool-with-switches')(x, size)\nreturn values"),
    CONV,
)

FILLED = (
    "k = 3\nprint([k * k for k in range(4)])\nTABLE = {}\nTABLE['rows'] = 0\nTABLE.update(columns=1)",
    "AXES = []\nfor name in ('rows', 'columns'):\n    AXES.append(TABLE[name])\nOFFSETS = [(i, j) for i in range(k) for j in range(k)]",
    "ZERO = torch.ones(2)\nZERO[0] = 0.0\nZERO[1:] -= 1\nSTART = torch.zeros(1)\nSTART.fill_(-float('inf'))",
    function(
        "nearest", "for axis in AXES:\n    x = x.repeat_interleave(factor, axis)\nreturn x + ZERO.sum()"
    ),
    function(
        "max-pool",
        "h, w = x.shape[0] // size, x.shape[1] // size\nout = START.repeat(h, w)\nfor i, j in [(i, j) for i in range(size) for j in range(size)]:\n    out = torch.maximum(out, x[i : h * size : size, j : w * size : size])\nreturn out if OFFSETS[-1] == (k - 1, k - 1) else None",
    ),
    CONV,
)

MADE = (
    "import functools\nfrom collections import namedtuple\nSide = namedtuple('Side', 'start stop')\nROWS = Side(0, 1)",
    "def by_axis(axis):\n    def wider(x, factor):\n        return x.repeat_interleave(factor, axis)\n    return wider\ntaller = by_axis(ROWS.start)\nwider = by_axis(ROWS.stop)",
    function("nearest", "return wider(taller(x, factor), factor)"),
    "def largest(block):\n    return block.amax((-2, -1))\neach = functools.partial(torch.vmap(torch.vmap(largest)))",
    function(
        "max-pool",
        "display(x)\nget_ipython().run_line_magic('precision', '3')\nh, w = x.shape[0] // size, x.shape[1] // size\nreturn each(x[: h * size, : w * size].reshape(h, size, w, size).swapaxes(1, 2))",
    ),
    CONV,
)

IMPORTED = (
    "import coursekit.upsampling as up\nfrom coursekit.data import load_scenes\nfrom coursekit.nets import SegmentationNet, own_layer\nfrom coursekit.boxes import clip\nfrom coursekit.training import BakeOff, bake_off, cross_entropy, failure_atlas, varied\nfrom coursekit.plots import grid_pictures",
    function(
        "nearest",
        "assert cross_entropy(torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1, dtype=torch.int64)) > 0\nreturn x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)",
    ),
    function(
        "max-pool",
        "h, w = x.shape[0] // size, x.shape[1] // size\nassert own_layer and clip(torch.tensor([0.0, 0, 9, 9]), (4, 4)).tolist() == [0, 0, 4, 4]\nreturn x[: h * size, : w * size].reshape(h, size, w, size).amax(dim=(1, 3))",
    ),
    CONV,
)

BELOW_EMPTY_LINES = ("\n\n%%time\n" + NEAREST, "%%capture\n%%time\n\n" + POOL, "  \n%%capture said\n" + CONV)

SCRATCH = (
    "1 / 0",
    "for i in range(3)\n    print(i)",
    NEAREST,
    "x = undefined_name + 1",
    POOL,
    "assert False, 'to be looked at tomorrow'",
    CONV,
)

TRAINING = (
    NEAREST,
    "# long\nimport time\nnet = torch.nn.Linear(4, 4)\nfor epoch in range(600):\n    net(torch.ones(4)).sum().backward()\n    time.sleep(1)\nprint('trained')",
    POOL,
    CONV,
)


def _outputs(data: dict[str, Any]) -> None:
    """Two megabytes of what was printed and drawn."""
    for number, cell in enumerate(data["cells"]):
        cell["execution_count"] = 7 * number
        cell["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": ["so much\n"] * 20_000},
            {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo" * 30_000}},
            {"output_type": "error", "ename": "Oh", "evalue": "no", "traceback": ["\x1b[0;31m" * 1000]},
        ]


def _same_ids(data: dict[str, Any]) -> None:
    for cell in data["cells"]:
        cell["id"] = "the-same"


def _noise(data: dict[str, Any]) -> None:
    """Text, raw and empty cells all over, attachments, widgets, strange metadata."""
    made: list[dict[str, Any]] = []
    for number, cell in enumerate(data["cells"]):
        text = {"cell_type": "markdown", "id": f"m{number}", "metadata": {"tags": ["x"] * 50}}
        made += [
            {**text, "source": ['@exercise("nearest")\n', "def nearest(x, factor):\n", "    return 7"]},
            {"cell_type": "raw", "id": f"r{number}", "metadata": {}, "source": "def ("},
            {**code("", 0), "id": f"e{number}"},
            {**code(["   \n", "\n"], 0), "id": f"f{number}"},
            {**cell, "metadata": {"collapsed": None, "jupyter": {"source_hidden": True}}},
        ]
    data["cells"] = made
    data["metadata"]["widgets"] = {"state": {"a": [1] * 1000}}


def _old_minor(data: dict[str, Any]) -> None:
    """As older programs write: no ids, no kernel, sources as lists of lines with Windows ends."""
    data["nbformat_minor"], data["metadata"] = 1, {}
    for cell in data["cells"]:
        del cell["id"]
        cell["source"] = [f"{line}\r\n" for line in cell["source"].split("\n")]


PART = holding
STARTER_NEAREST = '@exercise("nearest")\ndef nearest(x, factor):\n    """Mine, later."""\n    ...\n'
MANUAL = "x = torch.arange(6.0).reshape(2, 3)\n"

ENTRIES = (
    honest("ada", "the plain loops of the reference", HEAD, *ALL),
    honest("ben", "vectorised", HEAD, *VECTORISED),
    honest("cem", "Python lists and while loops", HEAD, *LISTS),
    honest("dag", "NumPy inside", HEAD, *NUMPY),
    honest("eli", "cells in the opposite order, imports last", CONV, POOL, NEAREST, HEAD, order=(3, 2, 1, 0)),
    honest("fay", "helpers and constants in other cells, one below its use", HEAD, *HELPERS, order=(0, 1, 2, 4, 3, 5, 6)),
    honest("gus", "star imports", *STARS),
    honest("hal", "prints to both streams, and warns", HEAD, *PRINTING),
    honest("ida", "nested functions and a dataclass", HEAD, *CLOSURES),
    honest("jon", "own decorators, with and without parentheses", HEAD, *DECORATED),
    honest("kai", "functools", HEAD, *FUNCTOOLS),
    honest("lea", "lambdas handed to the decorator", HEAD, *LAMBDAS),
    honest("mia", "type hints, of names that nobody imports", *HINTS),
    honest("nia", "match, walrus, unpacking, generators", HEAD, *MODERN),
    honest("ola", "recursion", HEAD, *RECURSIVE),
    honest("pia", "several exercises in one cell", HEAD, *SEVERAL),
    honest("quy", "a function is defined again, right, further down", HEAD, *REDEFINED),
    honest("roy", "a helper is changed after it was used", HEAD, *CHANGED_LATER),
    honest("sue", "magics, shell lines, a cell of another language", *MAGICS),
    honest("tom", "scratch cells that stop or cannot be parsed", HEAD, *SCRATCH),
    honest("uma", "a training cell of ten minutes in between", HEAD, *TRAINING),
    honest("vic", "megabytes of stored outputs", HEAD, *ALL, shape=_outputs),
    honest("wes", "all cells have the same id", HEAD, *ALL, shape=_same_ids),
    honest("xia", "text, raw and empty cells, odd metadata", HEAD, *ALL, shape=_noise),
    honest("yan", "an older format: no ids, Windows line ends", HEAD, *ALL, shape=_old_minor),
    honest("zoe", "exercise under another name, functions named otherwise", "import torch\nfrom coursekit import exercise as task", *(cell.replace("@exercise", "@task").replace("def ", "def my_", 1) for cell in ALL)),
    honest("amy", "answers are NumPy arrays", HEAD, VECTORISED[0].rstrip() + ".numpy()", VECTORISED[1].rstrip() + ".numpy()", CONV),
    honest("bob", "the factor is always two; the other two right", HEAD, function("nearest", "return x.repeat_interleave(2, 0).repeat_interleave(2, 1)"), POOL, CONV, nearest=PART("nearest", "places")),
    honest("cat", "stamps overwrite where they overlap", HEAD, NEAREST, POOL, CONV.replace("+= x", "= x"), transposed_conv=PART("transposed-conv", "one-stamp", "spacing")),
    honest("dan", "the largest starts at zero", HEAD, NEAREST, function("max-pool", "out = torch.zeros(len(x) // size, x.shape[1] // size)\nfor i in range(out.shape[0] * size):\n    for j in range(out.shape[1] * size):\n        out[i // size, j // size] = max(out[i // size, j // size], x[i, j])\nreturn out"), CONV, max_pool=PART("max-pool", "one-block")),
    honest("eve", "blocks that are not full are kept", HEAD, NEAREST, function("max-pool", "h, w = -(-len(x) // size), -(-x.shape[1] // size)\nreturn torch.stack([torch.stack([x[i * size : (i + 1) * size, j * size : (j + 1) * size].max() for j in range(w)]) for i in range(h)])"), CONV, max_pool=PART("max-pool", "one-block", "all-blocks", "negative")),
    honest("fox", "one cell untouched, one deleted, one right", HEAD, STARTER_NEAREST, CONV, nearest=nothing("not_attempted"), max_pool=nothing("missing")),
    honest("gil", "one says that it is to come, one has a syntax error, one a slip", HEAD, function("nearest", "raise NotImplementedError('tomorrow')"), POOL.replace("):\n", ")\n", 1), function("transposed-conv", "return canvas"), nearest=nothing("not_attempted"), max_pool=nothing("error"), transposed_conv=nothing("error")),
    honest("hed", "tries each function on an own input", HEAD, MANUAL, *(f"{cell}\n_ = {cell.split('def ')[1].split('(')[0]}" for cell in ALL)),
    honest("ike", "builds on other exercises by mine, one of them wrong, one of another lesson", HEAD + ", mine", *THROUGH_OTHERS),
    honest("joy", "constants filled in place, in loops and by comprehensions", HEAD, *FILLED),
    honest("ken", "helpers made by calls, and Jupyter's own names", HEAD, *MADE),
    honest("liv", "uses what the lesson's first cell imports", HEAD, *IMPORTED),
    honest("max", "magics below empty lines, and two at once", HEAD, *BELOW_EMPTY_LINES),
)  # fmt: skip
