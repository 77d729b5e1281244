"""A message is heard while the kernel is busy, in a kernel of its own, and still comes in its turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from jupyter_client.session import Session

from coursekit.widgets.overhearing import Ear

PATIENCE = 60

PREPARE = """
import sys, time
sys.path.insert(0, {root!r})
from comm import create_comm
from coursekit.widgets.overhearing import Ear
line, heard, handled = create_comm(target_name="test"), [], []
line.on_msg(lambda message: handled.append(message["content"]["data"]))
ear = Ear(heard.append)
"""

# Busy as training is: no event loop turns, and now and then the ear is asked.
BUSY = """
ear.open(line.comm_id)
end = time.monotonic() + 30
while time.monotonic() < end and len(heard) < {awaited}:
    ear.poll()
    time.sleep(0.01)
ear.close()
in_time = time.monotonic() < end
before = list(handled)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(startup_timeout=PATIENCE)
    run(client, PREPARE.format(root=str(Path(__file__).parents[2])))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture(autouse=True)
def fresh(kernel: BlockingKernelClient) -> None:
    run(kernel, "heard.clear(); handled.clear()")


def run(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(code, timeout=PATIENCE, store_history=False)
    assert reply["content"]["status"] == "ok", "\n".join(reply["content"].get("traceback", []))


def value(client: BlockingKernelClient, expression: str) -> Any:
    asked = client.execute("", user_expressions={"it": expression})
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        reply = client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == asked:
            return eval(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])
    raise TimeoutError


def send(client: BlockingKernelClient, comm: str, data: Any, session: Session | None = None) -> None:
    session = session or client.session
    session.send(client.shell_channel.socket, "comm_msg", {"comm_id": comm, "data": data})


def busy(client: BlockingKernelClient, awaited: int = 1) -> str:
    """Let the kernel be busy until so many were heard; the comm's name."""
    comm = value(client, "line.comm_id")
    client.execute(BUSY.format(awaited=awaited))
    time.sleep(0.5)
    return str(comm)


def test_a_message_is_heard_at_once_and_handled_in_its_turn(kernel):
    comm = busy(kernel)
    send(kernel, comm, {"method": "custom", "content": {"stop": 1}})
    assert value(kernel, "(in_time, heard, before, ear.works)") == (True, [{"stop": 1}], [], True)
    assert value(kernel, "handled") == [{"method": "custom", "content": {"stop": 1}}]


def test_messages_and_cells_keep_their_order(kernel):
    comm = busy(kernel)
    kernel.execute("between = list(handled)")
    for number in (1, 2, 3):
        send(kernel, comm, {"method": "custom", "content": number})
    kernel.execute("after = list(handled)")
    assert value(kernel, "[each['content'] for each in handled]") == [1, 2, 3]
    assert value(kernel, "(between, len(after))") == ([], 3)


def test_only_this_widget_s_own_messages_with_a_true_signature_are_heard(kernel):
    comm = busy(kernel)
    send(kernel, "another", {"method": "custom", "content": "not mine"})
    send(kernel, comm, {"method": "update", "state": {"now": {}}})
    send(kernel, comm, None)
    send(kernel, comm, {"method": "custom", "content": "forged"}, Session(key=b"wrong"))
    kernel.shell_channel.socket.send_multipart([b"<IDS|MSG>", b"", b"no message at all"])
    send(kernel, comm, {"method": "custom", "content": "true"})
    assert value(kernel, "(in_time, heard)") == (True, ["true"])


def test_a_closed_ear_hears_nothing_and_one_hook_is_enough(kernel):
    comm = str(value(kernel, "line.comm_id"))
    run(kernel, "[ear.open(line.comm_id) for _ in range(20)]; time.sleep(0.2); ear.close()")
    send(kernel, comm, {"method": "custom", "content": "late"})
    assert value(kernel, "(heard, len(handled))") == ([], 1)
    hooks = "kernel = get_ipython().kernel; hook = kernel.shell_stream._recv_callback"
    run(kernel, f"{hooks}; inner = [cell.cell_contents for cell in hook.__closure__]")
    assert value(kernel, "[hasattr(each, '_coursekit_overheard') for each in inner]") == [False, False]


def test_without_a_kernel_it_says_that_it_cannot_hear():
    ear = Ear(print)
    ear.open("nobody")
    ear.poll()
    ear.close()
    assert ear.works is False
