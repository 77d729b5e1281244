"""A run that is killed, taken up again, killed again, ends as if nothing had happened, bit for bit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from coursekit.training.checkpoints import Checkpoint

STEPS = 600
POSIX = pytest.mark.skipif(os.name == "nt", reason="kill -9 is a thing of POSIX systems")

# It says what it is at, so that it can be killed in the middle of just that.
CHILD = f"""
import os, sys
import torch
from torch import nn
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import checkpoints, fit, running

def say(*words):
    print(*words, flush=True)

real = os.fsync
def fsync(file):
    say("writing")
    real(file)

checkpoints.os.fsync = fsync
running.SAVE_EVERY = -1.0
torch.set_num_threads(1)
net = nn.Sequential(SegmentationNet(5, widths=(2, 4), seed=None), nn.Dropout(0.2))
if not os.path.exists(sys.argv[1] + ".safetensors"):
    net[0].load_state_dict(SegmentationNet(5, widths=(2, 4), seed=0).state_dict())
fit(net, load_scenes(24, size=16), steps={STEPS}, checkpoint=sys.argv[1], resume=True,
    on_step=lambda progress: say("step", progress.step))
"""


def start(path: Path) -> subprocess.Popen:
    folder = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], env=environment, stdout=subprocess.PIPE, text=True
    )


def finish(path: Path) -> None:
    child = start(path)
    child.communicate()
    assert child.returncode == 0


def kill_in_the_middle(path: Path, rng: random.Random, while_writing: bool) -> str:
    """Kill it at a random moment; what it last said."""
    child = start(path)
    wanted, seen = rng.randint(1, 60), 0
    said = ""
    for said in child.stdout:
        seen += said.startswith("writing" if while_writing else "step")
        if seen >= (wanted // 10 + 1 if while_writing else wanted):
            break
    time.sleep(rng.uniform(0, 0.004))  # the moment is meant to be random
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    return said


def ends_alike(folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    finish(folder / "whole")
    last_words = [kill_in_the_middle(folder / "killed", rng, kill % 2 == 0) for kill in range(kills)]
    assert any(word.startswith("writing") for word in last_words)
    finish(folder / "killed")
    for mine, theirs in zip(
        Checkpoint(folder / "whole").load()[:2], Checkpoint(folder / "killed").load()[:2], strict=True
    ):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@POSIX
@pytest.mark.slow
def test_a_run_killed_while_it_writes_ends_alike(tmp_path):
    ends_alike(tmp_path, 2, seed=1)


@POSIX
@pytest.mark.soak
def test_a_run_killed_at_ten_random_moments_ends_alike(tmp_path):
    ends_alike(tmp_path, 10, seed=0)
