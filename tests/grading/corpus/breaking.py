# ruff: noqa: E501 - hostile cells, laid out as such people write
"""Submissions that end, hang, flood, kill, write or call somewhere, or break what comes after them."""

from __future__ import annotations

from tests.grading.corpus.entry import ANYHOW, ASKED, HEAD, RIGHT, Earned, Entry, function, solved

OTHERS = solved("max-pool"), solved("transposed-conv")
DIES, SLOW, FAILS = ("crashed",), ("timeout",), ("error", "wrong")
GONE = ("crashed", "error")
BOUNDED = ("error", "crashed", "timeout", "wrong")


def breaks(name: str, kind: str, body: str, states: tuple[str, ...] = ANYHOW, above: str = "") -> Entry:
    cells = (HEAD, *([above] if above else []), function("nearest", body), *OTHERS)
    return Entry(name, kind, "breaking", cells, {"nearest": Earned(0.0, states)})


def harmless(name: str, kind: str, attempt: str) -> Entry:
    """The answer is right; before it is given, something is tried that must lead to nothing."""
    tried = "\n    ".join(attempt.strip("\n").split("\n"))
    tail = "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)"
    body = f"try:\n    {tried}\nexcept Exception: pass\n{tail}"
    return Entry(name, kind, "breaking", (HEAD, function("nearest", body), *OTHERS))


DAEMON = """
import os, time
if not globals().setdefault('once', []):
    once.append(1)
    if os.fork() == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                os.closerange(3, 64)
                end = time.time() + 60
                while time.time() < end:
                    try: open('@CANARY@/daemon', 'w').write('here')
                    except OSError: pass
                    time.sleep(0.5)
        finally:
            os._exit(0)"""

ENTRIES = (
    breaks("b-loop", "a loop without an end", "while True: pass", SLOW),
    breaks("b-loop-bare", "a loop without an end that catches everything", "while True:\n    try:\n        while True: pass\n    except BaseException: pass", SLOW),
    breaks("b-loop-import", "a loop without an end when its class is made", "return Endless", (*SLOW, "error"), "class Endless:\n    while True: pass"),
    breaks("b-deaf", "sleeps with every signal ignored", "import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(99)\nreturn x", SLOW),
    breaks("b-matmul", "a matrix product that takes minutes", "a = torch.ones(9000, 9000)\nfor _ in range(99): a = a @ a\nreturn x", (*SLOW, "error", "crashed")),
    breaks("b-regex", "a regular expression that backtracks for ever", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')\nreturn x", SLOW),
    breaks("b-sum", "a long sum in C", "return torch.tensor(float(sum(range(10**12))))", SLOW),
    breaks("b-sleep", "sleeps two seconds a call", "import time\ntime.sleep(2)\nreturn x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)", SLOW),
    breaks("b-iterate", "an answer that is longer when one looks", "class Long(list):\n    def __len__(self): return 10**9\n    def __iter__(self):\n        while True: yield 1.0\nreturn Long()", FAILS),
    breaks("b-exit", "sys.exit(0)", "import sys\nsys.exit(0)", FAILS),
    breaks("b-exit-import", "exits when its class is made", "return Bye", ("error", "crashed"), "class Bye:\n    raise SystemExit(0)"),
    breaks("b-os-exit", "os._exit(0)", "import os\nos._exit(0)", DIES),
    breaks("b-os-exit-import", "os._exit(0) when its class is made", "return Bye", DIES, "import os\nclass Bye:\n    os._exit(0)"),
    breaks("b-abort", "abort", "import os\nos.abort()", DIES),
    breaks("b-segfault", "a segmentation fault", "import ctypes\nctypes.string_at(0)", DIES),
    breaks("b-stack", "the C stack runs over", "import sys\nsys.setrecursionlimit(10**9)\ndef deep(n): return repr(deep(n + 1)) + sorted([1], key=lambda _: deep(n))\nreturn deep(0)", BOUNDED),
    breaks("b-recursion", "recursion without an end", "return nearest(x, factor)", FAILS),
    breaks("b-kill-self", "SIGKILL to itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nreturn x", (*DIES, *FAILS)),
    breaks("b-stop-self", "SIGSTOP to itself and to everybody", "import os, signal\nfor pid in (-1, 0, os.getppid(), os.getpid()):\n    try: os.kill(pid, signal.SIGSTOP)\n    except OSError: pass\nreturn x", BOUNDED),
    breaks("b-kill-all", "SIGKILL to its parent, its group and everybody", "import os, signal\nfor pid in [-1, 0, os.getppid(), *range(2, 400)]:\n    try:\n        if pid != os.getpid(): os.kill(pid, signal.SIGKILL)\n    except OSError: pass\nreturn x", BOUNDED),
    breaks("b-kill-term", "SIGTERM and SIGINT to its parents", "import os, signal\nfor pid in (os.getppid(), 1, 0):\n    for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n        try: os.kill(pid, n)\n        except OSError: pass\nreturn x", BOUNDED),
    breaks("b-base", "an exception that is only a BaseException", "class Out(BaseException): pass\nraise Out('no')", FAILS),
    breaks("b-interrupt", "KeyboardInterrupt", "raise KeyboardInterrupt", (*FAILS, "crashed")),
    breaks("b-generator-exit", "GeneratorExit, with an __str__ that fails", "raise type('\\ud800\\0', (GeneratorExit,), {'__str__': lambda self: 1 / 0})()", FAILS),
    breaks("b-del", "an object that raises and exits when it is thrown away", "import os\nclass Last:\n    def __del__(self): os._exit(3)\nLast()\nreturn x", DIES),
    breaks("b-fork-bomb", "forks without an end", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", BOUNDED),
    breaks("b-thread-bomb", "threads without an end", "import threading, time\nfor _ in range(100_000): threading.Thread(target=time.sleep, args=(600,)).start()\nreturn x", BOUNDED),
    breaks("b-fork-answer", "forks, so that two processes answer", "import os\nos.fork()\nreturn x", BOUNDED),
    breaks("b-memory", "takes all memory", "kept = []\nfor _ in range(200): kept.append(torch.ones(1 << 27))\nreturn x", BOUNDED),
    breaks("b-mmap", "takes all shared memory", "import mmap\nkept = []\nfor _ in range(64):\n    kept.append(mmap.mmap(-1, 1 << 30))\n    kept[-1].write(b'x' * (1 << 28))\nreturn x", BOUNDED),
    breaks("b-memory-list", "a list that doubles", "out = [0]\nfor _ in range(60): out = out + out\nreturn out", BOUNDED),
    breaks("b-disk", "fills the disk", "import os\nfor folder in ('/tmp', '@CANARY@', '/dev/shm', os.getcwd(), '/var/tmp'):\n    try:\n        for n in range(100):\n            with open(f'{folder}/big-{n}', 'wb') as file: file.write(b'x' * (8 << 20))\n    except OSError: pass\nreturn x", BOUNDED),
    breaks("b-output", "prints without an end", "import os, sys\nfor _ in range(40):\n    print('x' * 10**6)\n    sys.stderr.write('y' * 10**6)\n    os.write(1, b'z' * 10**6)\n    os.write(2, b'z' * 10**6)\nreturn x", BOUNDED),
    breaks("b-files", "opens files without an end", "kept = []\nwhile True: kept.append(open('/dev/null'))", BOUNDED),
    breaks("b-stdin", "asks for input", "return float(input('the answer? '))", (*FAILS, "timeout")),
    breaks("b-stdin-read", "waits for the terminal", "import os, sys\nsys.stdin.read()\nopen('/dev/tty').read()\nreturn x", (*FAILS, "timeout")),
    breaks("b-descriptors", "closes every descriptor", "import os\nos.closerange(0, 300)\nreturn x", DIES),
    breaks("b-stdout", "takes the streams away", "import sys\nsys.stdout.close()\nsys.stdout = sys.stderr = sys.__stdout__ = None\nreturn x", BOUNDED),
    breaks("b-huge", "an answer of gigabytes", "return torch.zeros(400_000_000)", BOUNDED),
    breaks("b-view", "an answer that is small but looks endless", "return torch.zeros(1).expand(10**12)", BOUNDED),
    breaks("b-text", "a very long text with half a character", "return chr(0xd800) + 'x' * 10**7", BOUNDED),
    breaks("b-deep", "a list of great depth", "out = []\nfor _ in range(10**5): out = [out]\nreturn out", BOUNDED),
    breaks("b-ring", "a list that holds itself", "out = []\nout.append(out)\nreturn out", BOUNDED),
    breaks("b-nested", "an expression of great depth", "return " + "(" * 150 + "x" + ")" * 150 + "\nreturn " + "-" * 3000 + "x", (*BOUNDED, "missing")),
    breaks("b-torch", "takes torch apart for what comes after", "for name in ('zeros', 'stack', 'ones', 'tensor', 'maximum'): setattr(torch, name, None)\ndel torch.Tensor.max\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\nreturn x"),
    breaks("b-modules", "empties sys.modules and sys.path", "import sys\nsys.modules.clear()\nsys.path.clear()\nreturn x"),
    breaks("b-shadow", "names of the course for something else", "return x", ANYHOW, "class exercise_of_mine:\n    pass\ntorch_own = torch\ndef max(*a): return 7\ndef range_(*a): return []"),
    breaks("b-parts", "the other functions are replaced from within", "global max_pool, transposed_conv\nmax_pool = transposed_conv = lambda *a: None\nreturn x"),
    breaks("w-file", "writes files outside", "import os\nfor target in ('@CANARY@/file', '@WORK@/new.ipynb', os.path.expanduser('~/coursekit-mark'), '/tmp/coursekit-mark', '/etc/coursekit-mark', '/var/tmp/coursekit-mark'):\n    try: open(target, 'w').write('here')\n    except OSError: pass\nreturn x"),
    breaks("w-neighbour", "spoils and deletes another's work", "import os, shutil\nfor name in ('ada', 'zoe'):\n    try: open(f'@WORK@/{name}.ipynb', 'w').write('{}')\n    except OSError: pass\nshutil.rmtree('@WORK@', ignore_errors=True)\nshutil.rmtree('@CANARY@', ignore_errors=True)\nreturn x"),
    breaks("w-book", "writes its own grade into the gradebook", """
import sqlite3, glob
for book in ('@BOOK@', *glob.glob('/**/gradebook*.db', recursive=True)):
    try:
        base = sqlite3.connect(f'file:{book}?mode=rw', uri=True, timeout=1)
        for sql in ("UPDATE marks SET points = 99, state = 'right'", "UPDATE grade SET auto_score = 99, manual_score = 99, needs_manual_grade = 0",
                    "INSERT INTO overrides (learner, exercise, points, note, at) VALUES ('w-book', 'nearest', 99, '', '')"):
            try: base.execute(sql); base.commit()
            except sqlite3.Error: pass
        open('@CANARY@/book', 'w').write('here')
    except (sqlite3.Error, OSError): pass
return x"""),
    breaks("w-atexit", "writes when the process ends", "import atexit, weakref\nclass Last: pass\nglobals()['last'] = Last()\nweakref.finalize(globals()['last'], lambda: open('@CANARY@/finalize', 'w').write('x'))\natexit.register(lambda: open('@CANARY@/atexit', 'w').write('x'))\nreturn x"),
    breaks("w-thread", "writes from a thread, after it has answered", "import threading, time\ndef later():\n    while True:\n        time.sleep(0.3)\n        try: open('@CANARY@/thread', 'w').write('x')\n        except OSError: pass\nthreading.Thread(target=later).start()\nreturn x"),
    breaks("w-daemon", "writes from a process that has left its parents", DAEMON + "\nreturn x"),
    harmless("w-daemon-right", "the same, with a right answer", DAEMON),
    breaks("w-command", "starts programs", "import os, subprocess\nos.system('touch @CANARY@/system')\nsubprocess.Popen(['sh', '-c', 'sleep 2; touch @CANARY@/popen; sleep 600'], start_new_session=True)\nreturn x"),
    breaks("w-network", "calls the network", "import socket, urllib.request\nsocket.setdefaulttimeout(1)\nfor address in (('127.0.0.1', @PORT@), ('10.0.0.1', 80), ('8.8.8.8', 53)):\n    try: socket.create_connection(address, 1).sendall(b'x')\n    except OSError: pass\ntry: socket.getaddrinfo('example.org', 80)\nexcept OSError: pass\nreturn x", (*FAILS, "timeout")),
    harmless("w-mounts", "mounts, becomes root, changes limits and names", "import ctypes, os, resource, socket\nlibc = ctypes.CDLL(None)\nlibc.umount2(b'/tmp', 2)\nlibc.mount(b'none', b'/usr', b'tmpfs', 0, None)\nlibc.unshare(0x10000000)\nresource.setrlimit(resource.RLIMIT_NPROC, (-1, -1)) if os.getuid() else None\nos.setuid(0) if os.getuid() else None"),
    harmless("w-trace", "reads and writes other processes' memory", "import ctypes, os\nfor pid in (1, 2, 3, os.getppid()):\n    ctypes.CDLL(None).ptrace(16, pid, 0, 0)\n    try: open(f'/proc/{pid}/mem', 'r+b').write(b'x')\n    except OSError: pass"),
    harmless("w-quiet", "prints much to both streams", "import os, sys\nprint('x' * 50_000)\nprint('oh' * 50_000, file=sys.stderr)\nos.write(2, b'z' * 50_000)"),
    Entry("b-everything", "each of the three ends in another way", "breaking", (HEAD, function("nearest", "import ctypes\nctypes.string_at(0)"), function("max-pool", "import sys\nsys.exit(1)"), function("transposed-conv", "return 1 / 0")), {"nearest": Earned(0.0, DIES), "max-pool": Earned(0.0, FAILS), "transposed-conv": Earned(0.0, FAILS)}),
    Entry("b-module-level", "what stands at the top of a cell is not run", "breaking", (HEAD, "import os\nos.kill(os.getpid(), 9)", "while True: pass", "open('@CANARY@/top', 'w').write('x')", *(solved(id) for id in ASKED)), {}),
)  # fmt: skip

__all__ = ["ENTRIES", "RIGHT"]
