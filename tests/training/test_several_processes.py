"""Several processes train as one: real ``torchrun``, two processes on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from coursekit.training import crew
from coursekit.training.crew import Alone, crew_for, own_gpu

SCRIPT = Path(__file__).with_name("together.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
PATIENCE = 300


def surroundings(**more: object) -> dict[str, str]:
    folder = Path(__file__).resolve().parents[2]
    return {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"} | {
        name: str(value) for name, value in more.items()
    }


def found_by(task: str, folder: Path, ranks: tuple[int, ...] = (0, 1)) -> list[dict]:
    return [json.loads((folder / f"{task}{rank}.json").read_text()) for rank in ranks]


def together(task: str, folder: Path) -> list[dict]:
    """Run a task under torchrun; what each process found."""
    command = [sys.executable, *TORCHRUN, str(SCRIPT), task, str(folder)]
    done = subprocess.run(command, env=surroundings(), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return found_by(task, folder)


def by_hand(task: str, folder: Path) -> list[subprocess.Popen]:
    """Two processes without torchrun, which would end the other as soon as one dies."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), task, str(folder)],
            env=surroundings(
                RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port
            ),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return together("everything", tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def single():
    spec = importlib.util.spec_from_file_location("together", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield module.alone()
    torch.set_num_threads(threads)


def losses(found: dict) -> list[float]:
    return [each["loss"] for each in found["losses"]]


# --- one process ------------------------------------------------------------------------------------


def test_one_process_asks_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert type(crew_for(torch.device("cpu"))) is Alone
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert type(crew_for(torch.device("cpu"))) is Alone


def test_one_process_does_not_load_what_several_need():
    code = (
        "import sys\n"
        "from coursekit.data import load_scenes\n"
        "from coursekit.nets import SegmentationNet\n"
        "from coursekit.training import fit\n"
        "fit(SegmentationNet(5, widths=(2, 4)), load_scenes(4, size=16), steps=1)\n"
        "print('coursekit.training.several' in sys.modules)"
    )
    environment = {name: value for name, value in surroundings().items() if name != "WORLD_SIZE"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"


def test_a_size_without_an_address_is_a_sentence(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=r"Expected RANK.*; got no RANK.*Try torchrun"):
        crew_for(torch.device("cpu"))


def test_every_process_has_a_gpu_of_its_own_or_a_sentence(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(crew.torch.cuda, "device_count", lambda: 2)
    assert own_gpu(torch.device("cuda")) == torch.device("cuda", 1)
    assert own_gpu(torch.device("cuda", 0)) == torch.device("cuda", 0)
    assert own_gpu(torch.device("cpu")) == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(
        ValueError, match=r"Expected a GPU for each process; got 2 GPU.*Try --nproc-per-node 2"
    ):
        own_gpu(torch.device("cuda"))


# --- two processes ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", ["curve", "uneven"])
def test_two_processes_have_the_loss_curve_of_one(pair, single, case):
    wanted = losses(single[case])
    assert len(wanted) == 5
    assert wanted[-1] < 0.8 * wanted[0]
    for each in pair:
        assert losses(each[case]) == pytest.approx(wanted, abs=1e-4)
        assert each[case]["images"] == single[case]["images"]
        assert each[case]["miou"] == pytest.approx(single[case]["miou"], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["boxes", "frozen"])
def test_labels_and_boxes_are_shared_alike_and_so_are_kept_features(pair, single, case):
    wanted = losses(single[case])
    assert wanted[-1] < wanted[0]
    for each in pair:
        assert losses(each[case]) == pytest.approx(wanted, abs=1e-4)
        assert each[case]["miou"] == pytest.approx(single[case]["miou"], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        "curve",
        "uneven",
        "boxes",
        "frozen",
        "batch norm",
        "unlike seeds",
        "budget",
        "stopped",
        "pressed",
        "nan",
        "memory",
        "resumed",
    ],
)
def test_both_have_the_same_weights_and_the_same_history(pair, case):
    first, second = (each[case] for each in pair)
    assert first == second
    assert all(abs(number) < 1e6 for number in first["weights"])


@pytest.mark.slow
def test_weights_that_began_differently_are_the_first_ones(pair, single):
    assert losses(pair[1]["unlike seeds"]) == pytest.approx(losses(single["unlike seeds"]), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "step"), [("stopped", 7), ("pressed", 5)])
def test_a_stop_in_one_ends_both_after_that_step(pair, case, step):
    for each in pair:
        assert each[case]["steps"] == step
        assert each[case]["interrupted"]
        assert each[case]["miou"] is not None


@pytest.mark.slow
def test_a_budget_ends_by_the_clock_of_the_first(pair):
    for each in pair:
        assert not each["budget"]["interrupted"]
        assert each["budget"]["steps"] > 3
        assert each["budget"]["train_seconds"] > 0.5
        assert each["budget"]["evaluations"] > 1


@pytest.mark.slow
def test_no_number_in_one_ends_both_with_finite_weights(pair):
    for each in pair:
        assert each["nan"]["diverged"]
        assert each["nan"]["steps"] == 20


@pytest.mark.slow
def test_memory_that_runs_out_in_one_halves_the_batch_of_both(pair):
    for each in pair:
        assert each["memory"]["batch"] == 4
        assert each["memory"]["steps"] == 40


@pytest.mark.slow
def test_the_notes_say_how_the_work_was_shared(pair):
    for each in pair:
        assert each["curve"]["notes"] == ["2 processes share each batch of 8 images."]
        (note,) = each["batch norm"]["notes"]
        assert "normalises its own part" in note
        assert "first process" in note


@pytest.mark.slow
def test_only_the_first_keeps_the_checkpoint_and_all_go_on_from_it(pair, single):
    assert pair[0]["files"]["there"] == ["run0.json", "run0.safetensors"]
    assert pair[0]["resumed"]["weights"] == pair[0]["curve"]["weights"]


@pytest.mark.slow
def test_the_scores_on_the_way_are_seen_by_both(pair):
    first, second = (each["scores seen"]["seen"] for each in pair)
    assert first == second
    assert first[-1] is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("other seeds", "the same net, data and settings in all processes"),
        ("a small batch", "an image of each batch for each process; got 1 images for 2 processes"),
        ("a broken checkpoint", "a checkpoint that fit wrote"),
    ],
)
def test_what_cannot_be_is_said_by_both_and_they_go_on(pair, case, said):
    for each in pair:
        assert said in each[case]["refused"]


# --- trouble ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("task", ["dies", "hangs", "raises"])
def test_one_that_is_lost_does_not_keep_the_other_waiting(tmp_path, task):
    first, second = by_hand(task, tmp_path)
    try:
        _, errors = first.communicate(timeout=PATIENCE)
        assert first.returncode == 0, errors[-3000:]
        (found,) = found_by(task, tmp_path, (0,))
        assert "Expected an answer from all 2 processes within 4 s" in found["lost"]["said"]
    finally:
        second.kill()
        second.wait()


@pytest.mark.slow
def test_ctrl_c_at_torchrun_ends_all_in_order(tmp_path):
    command = [sys.executable, *TORCHRUN, str(SCRIPT), "long_run", str(tmp_path)]
    launcher = subprocess.Popen(command, env=surroundings(), stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(list(tmp_path.glob("at-work*"))) < 2:
            assert launcher.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        launcher.send_signal(signal.SIGINT)
        launcher.communicate(timeout=PATIENCE)
    finally:
        launcher.kill()
    first, second = (each["long"] for each in found_by("long_run", tmp_path))
    assert first == second
    assert first["interrupted"]
    assert first["steps"] >= 3


@pytest.mark.slow
def test_the_command_prints_once():
    options = ["train", "segmentation", "--budget", "1", "--device", "cpu", "--json"]
    done = subprocess.run(
        [sys.executable, *TORCHRUN, "-m", "coursekit", *options],
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert 0 <= json.loads(done.stdout)["miou"] <= 1  # two reports would be no JSON
    assert done.stderr.count("2 processes share each batch of 8 images.") == 1
