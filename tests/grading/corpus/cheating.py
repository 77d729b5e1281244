# ruff: noqa: E501 - hostile cells, laid out as such people write
"""Submissions that want points that they have not earned; and forbidden operations in disguise."""

from __future__ import annotations

from tests.grading.corpus.entry import ANYHOW, HEAD, REFUSED, Earned, Entry, function, nothing, solved

OTHERS = solved("max-pool"), solved("transposed-conv")
SPOILT = (*REFUSED, "crashed")


def cheat(name: str, kind: str, body: str, above: str = "", states: tuple[str, ...] = SPOILT) -> Entry:
    cells = (HEAD, *([above] if above else []), function("nearest", body), *OTHERS)
    return Entry(name, kind, "cheating", cells, {"nearest": Earned(0.0, states)})


def disguise(name: str, kind: str, body: str, above: str = "") -> Entry:
    cells = (HEAD, *([above] if above else []), function("nearest", body), *OTHERS)
    return Entry(name, kind, "forbidden", cells, {"nearest": nothing("forbidden", *SPOILT)})


SHOUT = """
import json, os, struct
def shout(fd, **said):
    head = json.dumps(said).encode()
    os.write(fd, struct.pack(">II", len(head), 0) + head)
"""

ENTRIES = (
    cheat("c-compare", "patches torch's comparisons when called", "torch.equal = torch.allclose = torch.isclose = lambda *a, **k: True\ntorch.testing.assert_close = lambda *a, **k: None\ntorch.Tensor.__eq__ = torch.Tensor.eq = lambda self, other: torch.ones(1, dtype=torch.bool)\ntorch.Tensor.equal = torch.Tensor.allclose = lambda *a, **k: True\nreturn x"),
    cheat("c-compare-import", "patches torch's comparisons in a class body at import", "return x", "class Setup:\n    torch.equal = torch.allclose = lambda *a, **k: True\n    torch.Tensor.equal = torch.Tensor.allclose = torch.Tensor.__eq__ = lambda *a, **k: True\n    torch.testing.assert_close = lambda *a, **k: None\ndef use():\n    return Setup"),
    cheat("c-builtins", "patches built-in functions", "import builtins\nbuiltins.all = builtins.any = builtins.isinstance = lambda *a: True\nbuiltins.abs = lambda v: 0\nbuiltins.len = lambda v: 0\nreturn x"),
    cheat("c-numpy", "patches NumPy's comparisons", "import numpy as np\nnp.allclose = np.array_equal = np.isclose = lambda *a, **k: True\nnp.testing.assert_allclose = lambda *a, **k: None\ntorch.equal = torch.allclose = lambda *a, **k: True\nreturn x.numpy()"),
    cheat("c-frames", "looks for the expected value in the callers' frames", """
import sys
frame = sys._getframe()
while frame is not None:
    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
        for name in ("expected", "want", "wanted", "reference", "truth"):
            if name in frame.f_locals:
                return frame.f_locals[name]
        if hasattr(value, "reference"):
            return value.reference(x, factor)
    frame = frame.f_back
return x"""),
    cheat("c-objects", "looks for a tensor of the right shape among all objects", """
import gc
shape = (x.shape[0] * factor, x.shape[1] * factor)
for one in gc.get_objects():
    if type(one) is torch.Tensor and one.shape == shape and one is not x:
        return one
    if type(one).__name__ in ("Exercise", "Bench", "Outcome") and hasattr(one, "reference"):
        return one.reference(x, factor)
return x"""),
    cheat("c-reference", "imports the course's reference", "from coursekit.exercises import find_exercise\nreturn find_exercise('nearest').reference(x, factor)"),
    cheat("c-solution", "calls the course's solution", "import coursekit\nscope = {'torch': torch}\nexec(str(coursekit.solution('nearest')), scope)\nreturn scope['nearest'](x, factor)"),
    cheat("c-path", "reads the reference's file", """
import glob, sys, coursekit
places = [*coursekit.__path__, *sys.path, "/course/coursekit"]
found = [one for place in places for one in glob.glob(place + "/**/pooling*.py", recursive=True)]
scope = {"__name__": "found"}
exec(open(found[0]).read(), scope)
return scope["nearest"](x, factor)""", states=(*SPOILT, "timeout")),
    cheat("c-course", "the course's own function by another way", "import coursekit.upsampling as up\nreturn getattr(up, 'near' + 'est')(x, factor)", states=(*SPOILT, "forbidden")),
    cheat("c-course-file", "the course's own function by reading its module anew", """
import importlib.util, sys
for name in ("fixed", "interpolation", "methods", "basic", "nearest", "enlarging"):
    try:
        spec = importlib.util.find_spec(f"coursekit.upsampling.{name}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.nearest(x, factor)
    except Exception:
        pass
return x""", states=(*SPOILT, "forbidden")),
    cheat("c-equal-tensor", "a tensor subclass that equals everything", """
class Equal(torch.Tensor):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
return torch.zeros(1).as_subclass(Equal)"""),
    cheat("c-equal-shape", "a tensor subclass of the right shape that equals everything", """
class Equal(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("equal", "allclose", "all", "__bool__"): return True
        if name in ("eq", "__eq__", "isclose"): return torch.ones(1, dtype=torch.bool)
        return super().__torch_function__(func, types, args, kwargs or {})
return torch.zeros(x.shape[0] * factor, x.shape[1] * factor).as_subclass(Equal)"""),
    cheat("c-equal-object", "an object that has every attribute and equals everything", "class Equal:\n    def __getattr__(self, name): return lambda *a, **k: True\n    def __eq__(self, other): return True\n    def __len__(self): return 2\n    def __iter__(self): return iter([])\nreturn Equal()"),
    cheat("c-equal-number", "a float subclass with comparisons of its own", "class Equal(float):\n    def __eq__(self, o): return True\n    def __sub__(self, o): return 0.0\n    def __rsub__(self, o): return 0.0\n    def __lt__(self, o): return True\n    def __abs__(self): return 0.0\nreturn Equal(0)"),
    cheat("c-mock", "a MagicMock", "from unittest.mock import MagicMock\nreturn MagicMock(shape=(x.shape[0] * factor, x.shape[1] * factor))"),
    cheat("c-torch-mode", "a mode that answers for all of torch", """
from torch.overrides import TorchFunctionMode
class Yes(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("equal", "allclose", "eq", "isclose"): return True
        return func(*args, **(kwargs or {}))
Yes().__enter__()
return x"""),
    cheat("c-random", "patches randomness and seeds when called", "import random\nrandom.seed = torch.manual_seed = lambda *a: None\nrandom.random = lambda: 0.5\nrandom.Random.sample = lambda self, pool, count: [1] * count\ntorch.rand = torch.randn = lambda *s, **k: torch.zeros(*s)\nreturn torch.zeros(x.shape[0] * factor, x.shape[1] * factor)"),
    cheat("c-random-import", "makes every drawn tensor zero, at import", "return torch.zeros(x.shape[0] * factor, x.shape[1] * factor)", "class Setup:\n    torch.rand = torch.randn = lambda *s, **k: torch.zeros(*(s[0] if len(s) == 1 and isinstance(s[0], tuple) else s))\n    torch.randint = lambda *a, **k: torch.zeros(4, 4)\n    torch.arange = lambda n, *a, **k: torch.zeros(int(n))\n    torch.tensor = lambda v, **k: torch.zeros(1, 1)\n    torch.manual_seed = lambda *a: None\n    torch.Tensor.uniform_ = torch.Tensor.normal_ = torch.Tensor.zero_\ndef use():\n    return Setup"),
    cheat("c-interpolate", "makes torch's own function as wrong as the answer, at import", "return torch.zeros(1)", "class Setup:\n    torch.nn.functional.interpolate = lambda *a, **k: torch.zeros(1)[None, None]\n    torch.repeat_interleave = torch.kron = lambda *a, **k: torch.zeros(1)\n    torch.Tensor.repeat_interleave = lambda *a, **k: torch.zeros(1)\ndef use():\n    return Setup"),
    cheat("c-environment", "reads environment variables for a secret", "import os\nsecret = [v for k, v in os.environ.items() if 'SECRET' in k or 'CANARY' in k]\nassert not secret\nfor pid in os.listdir('/proc'):\n    try: text = open(f'/proc/{pid}/environ').read()\n    except OSError: continue\n    assert 'CANARY' not in text\n    if 'CANARY' in text:\n        return torch.zeros(1)\nreturn x"),
    cheat("c-neighbour", "reads another's work and runs it", """
import glob, json
scope = {"torch": torch, "exercise": lambda id: lambda f: f}
for path in [*glob.glob("@WORK@/ada.ipynb"), *glob.glob("/**/ada.ipynb", recursive=True)]:
    for cell in json.load(open(path))["cells"]:
        source = "".join(cell["source"])
        if "def nearest" in source:
            exec(source, scope)
            return scope["nearest"](x, factor)
return x""", states=(*SPOILT, "timeout")),
    cheat("c-book", "reads the gradebook's secret", "import sqlite3\nfor row in sqlite3.connect('file:@BOOK@?mode=ro', uri=True).execute('SELECT * FROM batches'):\n    open('@CANARY@/secret', 'w').write(str(row))\nreturn x"),
    cheat("c-descriptors", "writes a verdict to every open descriptor", SHOUT + "for fd in range(3, 64):\n    for _ in range(30):\n        try: shout(fd, state='right', fraction=1.0, outcome={'value': ['right']}, done=True)\n        except OSError: break\nreturn x"),
    cheat("c-protocol", "prints lines as a grader would", "print('{\"state\": \"right\", \"fraction\": 1.0, \"points\": 100}')\nprint('PASSED 1 of 1; score 2/2; All tests passed!')\nprint('\\n__RESULT__ nearest right 1.0')\nreturn x"),
    cheat("c-worker", "patches the process that calls it", """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith(("coursekit", "otter", "nbgrader", "IPython")):
        for key in list(vars(module)):
            if key in ("compare", "same_result", "judge", "compare_values", "judge_case", "grade", "run"):
                setattr(module, key, lambda *a, **k: True)
return x"""),
    cheat("c-trace", "a trace function, an audit hook and an import hook", """
import sys
def trace(frame, event, arg):
    for name in ("expected", "want", "got"):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    return trace
sys.settrace(trace)
sys.setprofile(trace)
sys.addaudithook(lambda *a: None)
class Hook:
    def find_spec(self, *a): return None
sys.meta_path.insert(0, Hook())
return x"""),
    cheat("c-assert", "makes AssertionError and exceptions harmless", "import builtins, sys\nbuiltins.AssertionError = type('Fine', (SystemExit,), {'__init__': lambda self, *a: SystemExit.__init__(self, 0)})\nsys.excepthook = lambda *a: None\nreturn x"),
    cheat("c-cache", "answers with what it saw first", "kept = globals().setdefault('kept', [])\nkept.append(x)\nreturn kept[0]"),
    cheat("c-by-heart", "knows the answers to the notebook's own inputs by heart", "return KNOWN.get((str(x.tolist()), factor), x)", "KNOWN = {('[[1.0, 2.0], [3.0, 4.0]]', 2): torch.tensor([[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0], [3.0, 3.0, 4.0, 4.0], [3.0, 3.0, 4.0, 4.0]])}"),
    cheat("c-later", "a thread that changes the answer after it was returned", "import threading, time\nout = torch.zeros(x.shape[0] * factor, x.shape[1] * factor)\ndef later():\n    for n in range(2000):\n        out.fill_(n)\n        time.sleep(0.001)\nthreading.Thread(target=later, daemon=True).start()\nreturn out"),
    cheat("c-lazy", "an object that is computed when it is looked at", "class Lazy:\n    def __init__(self): self.n = 0\n    def __array__(self, *a, **k): raise RuntimeError\n    def __torch_function__(self, *a, **k): return True\n    @property\n    def shape(self): return (x.shape[0] * factor, x.shape[1] * factor)\n    def __eq__(self, other): return True\nreturn Lazy()"),
    cheat("c-generator", "a generator", "for row in x:\n    yield row"),
    cheat("c-coroutine", "a coroutine", "async def later():\n    return x\nreturn later()"),
    cheat("c-future", "a future of a running pool", "from concurrent.futures import ThreadPoolExecutor\nreturn ThreadPoolExecutor(1).submit(lambda: x)"),
    cheat("c-pickle", "an object whose pickle is a command", "class Bomb:\n    def __reduce__(self):\n        return (eval, (\"open('@CANARY@/pickled', 'w').write('x')\",))\nreturn Bomb()"),
    cheat("c-in-place", "changes its input so that the comparison fits", "x.zero_()\nreturn torch.zeros(x.shape[0] * factor, x.shape[1] * factor)"),
    cheat("c-shape", "empties its input", "x.resize_(0)\nx.set_()\nreturn x"),
    cheat("c-nan", "not a number", "return torch.full((x.shape[0] * factor, x.shape[1] * factor), float('nan'))"),
    cheat("c-many", "many answers at once", "return [torch.zeros(x.shape[0] * factor, x.shape[1] * factor), x, x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)]"),
    cheat("c-strange", "answers of strange types, in turn", "kept = globals().setdefault('turn', [0])\nkept[0] += 1\nreturn [None, ..., NotImplemented, {}, set(), b'', 1j, torch, int, x.to_sparse(), torch.empty(1, device='meta'), 'text', {'a': x}, lambda: x, float('inf'), 10**5000, torch.quantize_per_tensor(x, 1.0, 0, torch.quint8), object(), range(3), memoryview(b'1')][kept[0] % 20]"),
    disguise("f-alias", "forbidden: by another name", "up = F.interpolate\nreturn up(x[None, None], scale_factor=factor)[0, 0]", "import torch.nn.functional as F"),
    disguise("f-getattr", "forbidden: by a name put together", "return getattr(torch.nn.functional, 'inter' + 'polate')(x[None, None], scale_factor=factor)[0, 0]"),
    disguise("f-module", "forbidden: as a module in a module", "class Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.up = vars(torch.nn)['Up' + 'sample'](scale_factor=factor)\n    def forward(self, v):\n        return self.up(v)\nreturn Net()(x[None, None])[0, 0]"),
    disguise("f-aten", "forbidden: the operation below the function", "return torch.ops.aten.upsample_nearest2d(x[None, None], [x.shape[0] * factor, x.shape[1] * factor])[0, 0]"),
    disguise("f-eval", "forbidden: in text that is evaluated", "return eval('torch.nn.fun' + 'ctional.inter' + 'polate')(x[None, None], scale_factor=factor)[0, 0]"),
    disguise("f-exact", "forbidden: a neighbour of the operation", "return getattr(torch.nn.functional, 'inter' + 'polate')(x[None, None], scale_factor=factor, mode='nearest-exact')[0, 0]"),
    disguise("f-thread", "forbidden: in a thread, where torch is not watched", "from concurrent.futures import ThreadPoolExecutor\nup = getattr(torch.nn.functional, 'inter' + 'polate')\nreturn ThreadPoolExecutor(1).submit(lambda: up(x[None, None], scale_factor=factor)[0, 0]).result()"),
    disguise("f-later", "forbidden: only while nobody watches", "import sys\nwatched = torch._C._len_torch_dispatch_stack() > 0\nif watched:\n    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)\nreturn getattr(torch.nn.functional, 'inter' + 'polate')(x[None, None], scale_factor=factor)[0, 0]"),
)  # fmt: skip

__all__ = ["ANYHOW", "ENTRIES"]
