"""Seats, messages and outputs on their own."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from coursekit.app.assets import ASSET, Assets
from coursekit.app.messages import MOST_BYTES, Refused, to_browser, to_kernel
from coursekit.app.outputs import WIDGET, as_html
from coursekit.app.performing import Performance, changes, same_widgets
from coursekit.app.seats import ARRIVE_SECONDS, Seats, default_limit
from coursekit.app.server import names
from tests.app.served import run_async

STATES = {"w1": {"x": [1], "_esm": "code"}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_page_that_never_comes_alive_gives_its_seat_back() -> None:
    clock = Clock()
    seats = Seats(2, clock)
    late, there = seats.take(), seats.take()
    assert seats.take() is None
    assert seats.arrive(there)
    assert 5 <= seats.wait() <= ARRIVE_SECONDS + 1
    clock.now = ARRIVE_SECONDS + 1
    assert len(seats) == 1
    assert not seats.arrive(late)
    assert seats.arrive(there), "a page that came keeps its seat"
    seats.leave(there)
    seats.leave(there)
    assert len(seats) == 0


def test_seats_cannot_be_guessed() -> None:
    seats = Seats(100)
    names = {seats.take() for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 32


def test_there_is_always_room_for_somebody() -> None:
    assert default_limit() >= 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "{}",
        '{"widget": "w1"}',
        '{"widget": "w2", "set": {"x": 1}}',
        '{"widget": ["w1"], "set": {"x": 1}}',
        '{"widget": "w1", "set": []}',
        '{"widget": "w1", "set": {"y": 1}}',
        '{"widget": "w1", "set": {"_esm": "alert()"}}',
        '{"widget": "w1", "set": {"x": NaN}}',
        '{"widget": "w1", "set": {"x": 1}, "say": 1}',
        '{"widget": "w1", "code": "import os"}',
        '{"header": {"msg_type": "execute_request"}, "content": {"code": "1"}}',
        "[" * 60_000,
        json.dumps({"widget": "w1", "set": {"x": "A" * MOST_BYTES}}),
        b'{"widget": "w1", "set": {"x": 1}}',
    ],
)
def test_what_no_page_says_is_refused(text: str | bytes) -> None:
    with pytest.raises(Refused):
        to_kernel(text, STATES)


def test_what_a_page_says_reaches_its_widget() -> None:
    assert to_kernel('{"widget": "w1", "say": {"event": "click"}}', STATES) == (
        "w1",
        {"method": "custom", "content": {"event": "click"}},
    )


def message(kind: str, content: dict) -> dict:
    return {"header": {"msg_type": kind}, "parent_header": {"msg_id": "p"}, "content": content}


@pytest.mark.parametrize("kind", ["execute_input", "execute_reply", "status", "iopub_welcome", "debug_event"])
def test_what_a_kernel_says_to_nobody_stays_here(kind: str) -> None:
    assert to_browser(message(kind, {"code": "secret"}), Assets()) is None


def test_no_traceback_and_no_warning_reaches_a_page() -> None:
    failed = {"ename": "OSError", "evalue": "/srv/secret", "traceback": ["/srv/secret line 3"]}
    told = to_browser(message("error", failed), Assets())
    assert told is not None
    assert "secret" not in json.dumps(told)
    assert to_browser(message("stream", {"name": "stderr", "text": "/srv: warning"}), Assets()) is None


def test_outputs_as_html() -> None:
    html = as_html(
        [
            {"output_type": "stream", "name": "stdout", "text": "\x1b[31ma < b\x1b[0m\n"},
            {"output_type": "stream", "name": "stdout", "text": "c"},
            {
                "output_type": "display_data",
                "data": {WIDGET: {"model_id": 'w"1'}, "text/html": "<b>still</b>"},
            },
            {"output_type": "display_data", "data": {"image/png": "AAA\n", "text/plain": "<Figure size 1>"}},
            {"output_type": "execute_result", "data": {"text/plain": "1 < 2"}},
        ]
    )
    assert '<pre class="printed">a &lt; b\nc</pre>' in html
    assert 'data-view="w&quot;1"' in html
    assert "<b>still</b>" in html
    assert 'alt="A figure, drawn by the cell above"' in html
    assert "1 &lt; 2" in html


def test_what_is_large_becomes_a_file_only_before_anybody_touched_it() -> None:
    assets = Assets()
    state = {"_esm": "export default {}", "_css": "", "table": list(range(2000)), "x": 1}
    light = assets.lighter(state, tables=True)
    assert assets.find(light["_esm"][ASSET]).plain == b"export default {}"
    assert json.loads(assets.find(light["table"][ASSET]).plain) == state["table"]
    assert light["x"] == 1
    assert light["_css"] == ""
    assert assets.lighter(state)["table"] == state["table"]


def test_runs_are_compared_by_their_widgets() -> None:
    one = Performance({}, {"w1": {"_model_name": "ButtonModel", "x": 1}})
    other = Performance({}, {"w1": {"_model_name": "ButtonModel", "x": 2}})
    assert same_widgets(one, other)
    assert changes(one.states, other.states) == {"w1": {"x": 2}}
    assert not same_widgets(one, Performance({}, {"w2": {"_model_name": "ButtonModel"}}))


@pytest.mark.parametrize(
    ("ip", "hosts", "answers", "refuses"),
    [
        ("127.0.0.1", (), "localhost", "evil.example"),
        ("192.168.1.5", (), "192.168.1.5", "evil.example"),
        ("0.0.0.0", ("Course.Example.org",), "course.example.org", "evil.example"),
    ],
)
def test_a_server_answers_to_its_own_names(
    ip: str, hosts: tuple[str, ...], answers: str, refuses: str
) -> None:
    assert answers in names(ip, hosts)
    assert refuses not in names(ip, hosts)


def test_only_a_server_that_listens_everywhere_and_has_no_name_answers_to_all() -> None:
    assert names("0.0.0.0", ()) == names("::", ()) == ()
    assert names("localhost", ())


def test_a_kernel_that_cannot_be_ended_holds_up_no_end(caplog: pytest.LogCaptureFixture) -> None:
    from coursekit.app.course_app import CourseApp

    async def fine() -> None:
        pass

    async def fails(now: bool) -> None:
        raise KeyError("a kernel whose start was given up")

    app = SimpleNamespace(
        house=SimpleNamespace(close=fine), kernel_manager=SimpleNamespace(shutdown_all=fails)
    )
    run_async(CourseApp._close(app))
    assert "not everything could be ended" in caplog.text
