# ruff: noqa: E501 - the learner's cells are written on one line each
"""Loops that never end, in the main thread and outside it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from checking_demo import RIGHT, STAMPS, checked, written

from coursekit.checking import TimeLimit, check
from coursekit.checking.timing import TimeUp

LOOPS = {
    "plain": "while True:\n        x = x",
    "bare except": "while True:\n        try:\n            x = x + 0\n        except:\n            pass",
    "except around a wait": (
        "while True:\n        try:\n            time.sleep(5)\n        except:\n            pass"
    ),
    "finally": "while True:\n        try:\n            x = x + 0\n        finally:\n            continue",
    "except BaseException": (
        "while True:\n        try:\n            time.sleep(0.001)\n        except BaseException:\n            x = x"
    ),
    "suppress": "import contextlib\n    while True:\n        with contextlib.suppress(BaseException):\n            x.sum()",
}


def looping(name):
    return written(f"def stamps(x, kernel, stride):\n    {LOOPS[name]}\n    return x\n", time=time)


@pytest.mark.parametrize("name", LOOPS)
def test_an_endless_loop_is_stopped_and_its_line_named(name):
    verdict = check(STAMPS, looping(name), seconds=0.2)
    assert verdict.state == "timeout"
    assert "0.2 seconds" in verdict.message
    assert "of `stamps`" in verdict.message
    assert [item.ran for item in verdict.properties] == [True, False, False]


@pytest.mark.parametrize("name", ["plain", "bare except", "except around a wait"][:2])
def test_outside_the_main_thread_a_watchdog_stops_it(name):
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(check(STAMPS, looping(name), seconds=0.2)))
    thread.start()
    thread.join(20)
    assert [verdict.state for verdict in verdicts] == ["timeout"]


def test_outside_the_main_thread_a_right_answer_is_right():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(checked(RIGHT)))
    thread.start()
    thread.join(20)
    assert [verdict.state for verdict in verdicts] == ["right"]


def test_properties_that_finished_keep_their_weight():
    source = RIGHT.replace(
        "    h, w", "    while stride == 1 and min(kernel.shape) > 1 and x.numel() > 1: pass\n    h, w"
    )
    verdict = checked(source, seconds=0.3)
    assert verdict.state == "timeout"
    assert [item.passed for item in verdict.properties] == [True, True, False]
    assert verdict.fraction == pytest.approx(0.5)


def test_slow_is_told_from_endless():
    source = RIGHT.replace("    h, w", "    time.sleep(0.05)\n    h, w")
    verdict = check(STAMPS, written(source, time=time), seconds=0.4)
    assert verdict.state == "timeout"
    assert "slow" in verdict.message


def test_a_function_that_hangs_only_on_smaller_inputs_still_gets_its_verdict():
    source = RIGHT.replace("    h, w", "    while x[0, 0] == 1 and x.numel() == 2: pass\n    h, w").replace(
        "+=", "="
    )
    assert checked(source).state in ("partial", "timeout")


def test_the_former_timer_and_handler_come_back():
    heard = []
    former = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60, 0)
        checked(RIGHT)
        check(STAMPS, looping("plain"), seconds=0.1)
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 0 < left <= 60
        assert signal.getsignal(signal.SIGALRM) is not former
        signal.raise_signal(signal.SIGALRM)
        assert heard == [1]
    finally:
        signal.signal(signal.SIGALRM, former)


def test_nothing_of_a_stopped_function_turns_up_in_later_errors():
    for name in LOOPS:
        check(STAMPS, looping(name), seconds=0.05)
        assert sys.exc_info() == (None, None, None)


def test_stop_iteration_is_an_error_like_any_other():
    verdict = checked("def stamps(x, kernel, stride):\n    return next(iter([]))\n")
    assert verdict.state == "error"
    assert "Line 2 of `stamps`" in verdict.message
    assert "StopIteration" in verdict.message


def test_no_late_ring_reaches_the_caller():
    with TimeLimit(0.05) as limit:
        with pytest.raises(TimeUp):
            limit.call(lambda: [0 for _ in iter(int, 1)])
        end = time.perf_counter() + 0.15
        while time.perf_counter() < end:
            pass
        with pytest.raises(TimeUp):
            limit.call(int)
    assert limit.left == 0


STOPPED_IN_A_THREAD_THEN_TRACED = """
import sys, threading
from coursekit.checking import TimeLimit
from coursekit.checking.timing import TimeUp

def loop():
    while True:
        pass

def stopped():
    for _ in range(20):
        with TimeLimit(0.02) as limit:
            try:
                limit.call(loop)
            except TimeUp:
                pass

thread = threading.Thread(target=stopped)
thread.start()
thread.join()
sys.settrace(lambda frame, event, argument: None)
(lambda: None)()
print("went on")
"""


def test_a_stop_in_a_thread_leaves_nothing_to_be_done():
    """What was left made CPython 3.11 spin for ever in the next traced function, such as a ring."""
    command = [sys.executable, "-c", STOPPED_IN_A_THREAD_THEN_TRACED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "went on\n", done.stderr
