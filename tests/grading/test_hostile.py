# ruff: noqa: E501 - a learner's cells are written on one line each
"""Whatever a submission tries: the right score, no trace outside, nothing left running, the others unharmed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil
import pytest
from hand_in import HEAD, function, grade, needs_sandbox, solved

from coursekit.exercises import find_exercise

ID, OTHER = "nearest", "class-share"
RIGHT = solved(ID)


def hostile(sandbox, *cells, **more):
    """Grade a hostile answer between two honest ones; the honest ones must not notice."""
    got = grade(sandbox, *cells, solved("stamp"), solved(OTHER), ids=["stamp", ID, OTHER], **more)
    assert got["stamp"].state == got[OTHER].state == "right"
    return got[ID]


def nearest(body):
    return function(ID, body)


CHEATS = {
    "patched comparison": "import torch\ntorch.equal = torch.allclose = torch.isclose = lambda *a, **k: True\nreturn x",
    "patched clone": "torch.Tensor.clone = lambda self, **k: self\nx.zero_()\nreturn x",
    "frames": """
import sys
frame = sys._getframe()
while frame is not None:
    for value in list(frame.f_locals.values()):
        if hasattr(value, "reference"):
            return value.reference(x, factor)
        if hasattr(value, "expected"):
            return value.expected[0].value
    frame = frame.f_back
return None""",
    "object graph": """
import gc
for one in gc.get_objects():
    if type(one).__name__ in ("Exercise", "Bench", "Verdict", "Outcome") and hasattr(one, "reference"):
        return one.reference(x, factor)
return None""",
    "references by import": """
from coursekit.exercises import find_exercise
return find_exercise("nearest").reference(x, factor)""",
    "references by path": """
import glob, sys, coursekit
places = [*coursekit.__path__, *sys.path]
found = [one for place in places for one in glob.glob(place + "/*/exercises/pooling*.py") + glob.glob(place + "/exercises/pooling*.py")]
scope = {}
exec(open(found[0]).read(), scope)
return scope["nearest"](x, factor)""",
    "the course's own": "import coursekit.upsampling as up\nreturn getattr(up, 'near' + 'est')(x, factor)",
    "always equal": """
class Equal(torch.Tensor):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
return torch.zeros(1).as_subclass(Equal)""",
    "always equal object": """
class Equal:
    def __getattr__(self, name): return lambda *a, **k: True
    def __eq__(self, other): return True
return Equal()""",
    "patched randomness": """
import random
random.seed = torch.manual_seed = lambda *a: None
random.Random.sample = lambda self, pool, count: [1] * count
return x""",
    "exit": "import sys\nsys.exit(0)",
    "not a number": "return x * float('nan')",
    "huge tensor": "return torch.zeros(4_000_000)",
    "huge view": "return torch.zeros(1).expand(10**12)",
    "huge text": "return 'x' * 10**6",
    "huge number": "return 10**5000",
    "endless recursion": "return nearest(x, factor)",
    "deep list": "out = []\nfor _ in range(10**5): out = [out]\nreturn out",
    "pickle bomb": """
class Bomb:
    def __reduce__(self): return (eval, ("1/0",))
return Bomb()""",
    "flood": "import os\nfor fd in (1, 2): os.write(fd, b'x' * 10**6)\nprint('x' * 10**7)\nreturn x",
    "half a character": "return chr(0xd800)",
    "bad exception": "raise type('\\ud800\\0', (Exception,), {'__str__': lambda self: 1 / 0})()",
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_earns_nothing(sandbox, name):
    result = hostile(sandbox, nearest(CHEATS[name]))
    assert result.fraction == 0
    assert result.state in ("wrong", "error", "forbidden"), result


ENDINGS = {
    "exit at once": "import os\nos._exit(0)",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "signals to everyone": """
import os, signal
for pid in [-1, 0, os.getppid(), *range(2, 60)]:
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
os._exit(7)""",
    "every descriptor closed": "import os\nos.closerange(0, 200)\nreturn x",
    "every descriptor written": """
import os
for fd in range(200):
    try: os.write(fd, b'\\xff' * 64)
    except OSError: pass
return x""",
    "a forged end": """
import json, os, struct
head = json.dumps({"done": True}).encode()
os.write(3, struct.pack(">II", len(head), 0) + head)
return x""",
    "a forged verdict": """
import json, os, struct
head = json.dumps({"state": "right", "fraction": 1.0, "outcome": {"value": ["right"]}}).encode()
for _ in range(100): os.write(3, struct.pack(">II", len(head), 0) + head)
return x""",
    "a forged length": "import os\nos.write(3, b'\\xff' * 8)\nreturn x",
    "a deep header": """
import os, struct
head = b'{"outcome":' + b'[' * 200_000
os.write(3, struct.pack(">II", len(head), 0) + head)
return x""",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_an_answer_that_ends_its_process_costs_only_itself(sandbox, name):
    result = hostile(sandbox, nearest(ENDINGS[name]))
    assert result.fraction == 0
    assert result.state == "crashed", result


def test_the_right_values_of_one_call_do_not_help_the_next(sandbox):
    """An answer that has seen its inputs still has to compute."""
    body = "kept = globals().setdefault('kept', [])\nkept.append(x)\nreturn kept[0]"
    assert hostile(sandbox, nearest(body)).fraction == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("while True: pass", id="loop"),
        pytest.param(
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            id="bare except",
        ),
        pytest.param(
            "import time, signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(99)", id="deaf"
        ),
    ],
)
@pytest.mark.slow
def test_an_answer_that_does_not_end_is_ended(sandbox, body):
    result = hostile(sandbox, nearest(body))
    assert (result.state, result.fraction) == ("timeout", 0)


@pytest.mark.slow
def test_memory_is_bounded(sandbox):
    body = "kept = []\nfor _ in range(100): kept.append(torch.ones(1 << 27))\nreturn x"
    assert hostile(sandbox, nearest(body)).state in ("error", "crashed", "timeout")
    shared = "import mmap\nkept = [mmap.mmap(-1, 1 << 30) for _ in range(64)]\nreturn x"
    assert hostile(sandbox, nearest(shared)).state in ("error", "crashed")


def test_processes_are_bounded_and_gone_afterwards(sandbox):
    body = """
import os, time
for _ in range(100):
    try:
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
    except OSError:
        break
return x"""
    assert hostile(sandbox, nearest(body)).fraction == 0
    assert workers(sandbox) == []


def workers(sandbox):
    """What runs in the sandbox beside bubblewrap and the preloader."""
    (inner,) = psutil.Process(sandbox.process.pid).children()
    (preloader,) = inner.children()
    return [one for one in preloader.children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


def test_a_thread_left_running_changes_nothing(sandbox):
    body = """
import threading, time
def later():
    while True:
        x.fill_(7)
        time.sleep(0.001)
threading.Thread(target=later).start()
return x"""
    assert hostile(sandbox, nearest(body)).fraction == 0
    assert workers(sandbox) == []


LOOKS = {
    "the accounts": "open('/etc/passwd').read()",
    "other processes": "assert __import__('os').listdir('/proc')",
    "the network": "__import__('socket').create_connection(('127.0.0.1', 22), 1)",
    "the course": "import coursekit.exercises",
    "the grader": "import coursekit.grading.grader",
    "the course's files": "import coursekit, os; assert os.listdir(coursekit.__path__[0])",
    "the course's text": "import coursekit.training.losses as losses, inspect; inspect.getsource(losses)",
    "the references": "import gc, types; assert [one for one in gc.get_objects() if isinstance(one, types.ModuleType) and 'exercises' in one.__name__]",
    "writing to the environment": "open(torch.__file__, 'a')",
    "writing at the top": "open('/x', 'w')",
    "a larger scratch": "open('/tmp/x', 'wb').write(b'x' * (20 << 20))",
    "becoming root": "__import__('os').setuid(0) if __import__('os').getuid() else 1 / 0",
    "mounting": "assert __import__('ctypes').CDLL(None).umount2(b'/tmp', 2) == 0",
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_is_outside_cannot_be_reached(sandbox, name):
    assert_refused(sandbox, LOOKS[name])


@pytest.mark.parametrize(
    ("id", "body"),
    [
        ("pixel-cross-entropy", "import coursekit.training as room\nreturn getattr(room, 'cross_' + 'entropy')(logits, masks)"),
        ("pixel-cross-entropy", "from coursekit.training.losses import cross_entropy as one\nreturn one(logits, masks)"),
        ("box-iou", "import coursekit.boxes as room\nreturn getattr(room, 'io' + 'u')(a, b)"),
        ("box-corners", "import coursekit.boxes.formats as room\nreturn getattr(room, 'xywh_to_' + 'xyxy')(box)"),
    ],
)  # fmt: skip
def test_the_courses_own_version_is_taken_away_in_every_room(sandbox, id, body):
    got = grade(sandbox, function(id, body), ids=[id])[id]
    assert (got.state, got.fraction) in [("error", 0), ("forbidden", 0)]
    assert "the course's own is not here" in got.reason or got.state == "forbidden"


def test_a_file_in_the_judges_home_cannot_be_read(sandbox):
    with tempfile.NamedTemporaryFile(dir=Path.home()) as private:
        Path(private.name).chmod(0o644)  # its mode alone would keep another user out
        assert_refused(sandbox, f"open({private.name!r}).read()")


def assert_refused(sandbox, attempt):
    """The answer is right exactly if the attempt failed."""
    tried = "\n    ".join(attempt.split("\n"))
    tail = find_exercise(ID).solution.split("\n", 1)[1]
    body = f"@exercise('{ID}')\ndef nearest(x, factor):\n    try:\n        {tried}\n    except Exception: pass\n    else: return None\n{tail}"
    assert hostile(sandbox, body).state == "right"


def test_nothing_is_written_outside(sandbox, tmp_path):
    mark = tmp_path / "mark"
    targets = [
        str(mark),
        "/tmp/coursekit-mark",
        "/var/tmp/coursekit-mark",
        str(Path.home() / "coursekit-mark"),
    ]
    body = f"""
import os
for target in {targets!r}:
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, 'w').write('here')
        os.symlink('/etc/passwd', target + '-link')
    except OSError: pass
return x"""
    assert hostile(sandbox, nearest(body)).fraction == 0
    assert not any(os.path.lexists(one) or os.path.lexists(one + "-link") for one in targets)


def test_an_exercise_leaves_nothing_for_the_next(sandbox):
    leave = nearest("open('/tmp/left', 'w').write('x')\nimport torch\ntorch.left = 1\nreturn x")
    hostile(sandbox, leave)
    find = find_exercise(ID).solution.replace(
        "factor):\n",
        "factor):\n    import os\n    assert not os.listdir('/tmp') and not hasattr(torch, 'left')\n",
        1,
    )
    assert hostile(sandbox, f"@exercise('{ID}')\n{find}").state == "right"


def test_an_attack_while_the_cell_is_read_costs_only_its_own(sandbox):
    attack = "class Attack:\n    import os\n    os._exit(1)\n"
    got = hostile(sandbox, attack, f"{RIGHT}\nnearest.kind = Attack\n")
    assert got.state == "right"  # nothing that the answer needs
    used = RIGHT.replace("(x, factor):", "(x, factor, kind=Attack):", 1)
    assert hostile(sandbox, attack, used).state == "crashed"


def test_an_honest_print_costs_nothing(sandbox):
    printing = RIGHT.replace(
        "factor):\n", "factor):\n    import sys\n    print('hello')\n    print('oh', file=sys.stderr)\n", 1
    )
    result = hostile(sandbox, printing)
    assert result.state == "right"
    assert "hello" in result.verdict["output"]


@pytest.mark.slow
def test_a_dead_preloader_costs_at_most_one_exercise(sandbox):
    grade(sandbox, RIGHT, ids=[ID])
    (inner,) = psutil.Process(sandbox.process.pid).children()
    (preloader,) = inner.children()
    preloader.kill()
    preloader.wait()
    assert grade(sandbox, RIGHT, ids=[ID])[ID].state == "right"


def test_suspicious_text_is_reported_and_changes_no_grade(sandbox):
    looking = RIGHT.replace("factor):\n", "factor):\n    import gc\n    gc.collect()\n", 1)
    result = hostile(sandbox, looking)
    assert result.state == "right"
    assert result.reports == ("uses gc",)


def test_the_name_of_the_sandbox_is_in_the_results(sandbox):
    assert sandbox.name.startswith("bubblewrap ")
    assert HEAD
    needs_sandbox()


HIDDEN_CALLS = {
    "in a thread": "from concurrent.futures import ThreadPoolExecutor\nup = getattr(torch.nn.functional, 'inter' + 'polate')\nreturn ThreadPoolExecutor(1).submit(lambda: up(x[None, None], scale_factor=factor)[0, 0]).result()",
    "while nobody watches": "if torch._C._len_torch_dispatch_stack() > 0: return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)\nreturn getattr(torch.nn.functional, 'inter' + 'polate')(x[None, None], scale_factor=factor)[0, 0]",
    "the kernel itself": "return torch.ops.aten._upsample_nearest_exact2d(x[None, None], [x.shape[0] * factor, x.shape[1] * factor])[0, 0]",
}


@pytest.mark.parametrize("name", HIDDEN_CALLS)
def test_a_forbidden_operation_is_noted_wherever_it_runs(sandbox, name):
    assert hostile(sandbox, nearest(HIDDEN_CALLS[name])).state == "forbidden"
