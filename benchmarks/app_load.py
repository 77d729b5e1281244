"""Our web app against stock Voila with the same notebooks, in one run, in turns.

Three pages: a demo (static in our app, a kernel's page in stock Voila), the same notebook as a page with a
kernel in both, and lesson 05, which needs torch. In a real Chromium with an empty cache: from GET to the
first widget painted, which then must answer a key; bytes and requests. With visitors who speak HTTP and
WebSocket as the pages do (twenty Chromiums would measure Chromium): how long 1, 5, 10 and 20 at once wait
until Python has told them every widget's state; 100 on pages with Python; 200 on a demo; memory a visitor;
kernels left behind.

"Cold" is the first visit after the server started. "Preheated" is Voila's `--preheat_kernel` with a filled
pool; for our app, that it has run the lesson once before, which it does by itself after each change.

    python benchmarks/app_load.py [--rounds 5] [--json] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from serving import Server, copy_lesson, get, prepare, served, visit
from tornado.httpclient import AsyncHTTPClient

DEMO, PLAIN, LESSON = "demos/grid-explorer", "play/grid-explorer", "05-learnable-upsampling"
SIDES = ("ours", "stock")
CROWDS = (1, 5, 10, 20)
CLOSED_S = 30

FIRST = '.ck-explorer [data-grid="output"] [tabindex="0"], .qc-predict input, .qc-quiz input'
# The first widget that takes keys, and the first frame in which it is painted.
WATCH = """
const seen = () => {
  const one = document.querySelector('FIRST');
  if (!one || !one.getClientRects().length) return requestAnimationFrame(seen);
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { window.usableAt = performance.now(); };
  channel.port2.postMessage(0);
};
requestAnimationFrame(seen);
""".replace("FIRST", FIRST)
STATE = """() =>
  [...document.querySelectorAll('.ck-explorer, .qc-predict, .qc-quiz')].map((one) => one.innerHTML).join()
  + [...document.querySelectorAll('input')].map((one) => one.checked).join()
  + [...document.querySelectorAll('[tabindex]')].indexOf(document.activeElement)"""


def look(browser: Any, address: str) -> dict[str, float]:
    """One visit with an empty cache: milliseconds, requests and bytes; the first widget must answer a key."""
    context = browser.new_context(viewport={"width": 1200, "height": 1400})
    context.route(lambda url: "127.0.0.1" not in url, lambda route: route.fulfill(status=200, body=""))
    page = context.new_page()
    page.add_init_script(WATCH)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    seen = {"requests": 0.0, "bytes": 0.0}

    def count(key: str, amount: float) -> None:
        seen[key] += amount

    network.on(
        "Network.requestWillBeSent",
        lambda told: count("requests", not told["request"]["url"].startswith("data:")),
    )
    network.on("Network.loadingFinished", lambda told: count("bytes", told["encodedDataLength"]))
    network.on("Network.webSocketFrameReceived", lambda told: count("bytes", _size(told["response"])))
    page.goto(address, wait_until="commit", timeout=180_000)
    page.wait_for_function("() => window.usableAt", timeout=180_000)
    ms = page.evaluate("window.usableAt")
    place = page.locator(FIRST).first
    place.focus()
    before = page.evaluate(STATE)
    is_choice = place.evaluate("one => one.tagName === 'INPUT'")
    place.press("Space" if is_choice else "ArrowRight")
    page.wait_for_function(f"before => ({STATE})() !== before", arg=before, timeout=60_000)
    page.wait_for_load_state("networkidle", timeout=60_000)
    if "/lessons/" in address:  # ours wakes Python by that key: what it says counts too
        page.wait_for_selector("html[data-python=ready]", timeout=180_000)
    context.close()
    return {"ms": ms, "requests": seen["requests"], "kB": seen["bytes"] / 1000}


def _size(frame: dict[str, Any]) -> int:
    """Bytes of a message; the browser tells those that are not text in base64."""
    sent = frame["payloadData"]
    return len(sent.encode() if frame["opcode"] == 1 else base64.b64decode(sent))


def paints(browser: Any, folder: Path, rounds: int) -> dict[str, Any]:
    """Medians of `look` for each page, cold and preheated, stock and ours in turns."""
    found: dict[str, Any] = {}
    for notebook, names in ((PLAIN, (DEMO, PLAIN)), (LESSON, (LESSON,))):
        seen: dict[tuple[str, str, str], list[dict[str, float]]] = {}
        for _ in range(max(2, rounds // 2)):
            for side in SIDES:
                for name in names if side == "ours" else (notebook,):
                    place = folder / notebook.replace("/", "-")
                    shutil.rmtree(place / "home", ignore_errors=True)  # what our app kept
                    with served(side, place) as server:
                        seen.setdefault((name, side, "cold"), []).append(
                            look(browser, _address(server, name))
                        )
        more = {"ours": (), "stock": ("--preheat_kernel=True", "--pool_size=1")}
        place = folder / notebook.replace("/", "-")
        with served("ours", place, *more["ours"]) as ours, served("stock", place, *more["stock"]) as stock:
            prepare(ours, notebook)
            for _ in range(rounds):
                for server in (stock, ours):
                    for name in names if server is ours else (notebook,):
                        ours.settle(0.5)
                        stock.settle()
                        key = (name, server.kind, "preheated")
                        seen.setdefault(key, []).append(look(browser, _address(server, name)))
        for name in names:
            for state in ("cold", "preheated"):
                pair = {
                    side: _medians(seen[name if side == "ours" else notebook, side, state]) for side in SIDES
                }
                found[f"{name}, {state}"] = pair
    return found


def _address(server: Server, name: str) -> str:
    return f"{server.url}/{name}" if name.startswith("demos/") else server.page(name)


def _medians(visits: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(each[key] for each in visits), 1) for key in visits[0]}


async def crowd(server: Server, notebook: str, visitors: int) -> dict[str, Any]:
    """Visitors who come at once: the last one's seconds, how many were served, and what each one takes."""
    came = await asyncio.gather(*(visit(server, notebook) for _ in range(visitors)))
    inside = [each for each in came if each.status == 200]
    memory = server.pss_mib()
    for each in inside:
        each.line.close()
    told = {"last_s": max(each.seconds for each in came), "served": len(inside), "pss_mib": memory}
    return {key: round(value, 2) for key, value in told.items()}


def crowds(folder: Path, notebook: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Each size with servers of its own, so that no kernel of an earlier crowd is in the way."""
    found: dict[str, Any] = {}
    place = folder / notebook.replace("/", "-")
    for size in sizes:
        for side in SIDES:
            more = (f"--max-kernels={max(sizes)}",) if side == "ours" else ()
            with served(side, place, *more) as server:
                prepare(server, notebook)
                server.settle()
                told = asyncio.run(crowd(server, notebook, size))
                if size == max(sizes):
                    time.sleep(CLOSED_S)
                    told["kernels_left"] = len(server.kernels())
                found.setdefault(str(size), {})[side] = told
    return found


def a_visitors_memory(at: dict[str, Any]) -> dict[str, float]:
    """MiB that each visitor more takes, from the smallest crowd to the largest."""
    few, many = min(at, key=int), max(at, key=int)
    spans = int(many) - int(few)
    return {side: round((at[many][side]["pss_mib"] - at[few][side]["pss_mib"]) / spans, 1) for side in SIDES}


async def hundred(server: Server) -> dict[str, Any]:
    came = await asyncio.gather(*(visit(server, LESSON) for _ in range(100)))
    inside = [each for each in came if each.status == 200]
    away = [each for each in came if each.status == 503]
    for each in inside:
        each.line.close()
    return {
        "served": len(inside),
        "last_served_s": round(max((each.seconds for each in inside), default=0), 2),
        "friendly_page": len(away),
        "last_friendly_page_s": round(max((each.seconds for each in away), default=0), 2),
        "neither": 100 - len(inside) - len(away),
    }


async def two_hundred(server: Server) -> dict[str, Any]:
    begun = time.monotonic()
    came = await asyncio.gather(*(get(f"{server.url}/{DEMO}") for _ in range(200)))
    return {"served": sum(each.code == 200 for each in came), "all_s": round(time.monotonic() - begun, 2)}


def masses(folder: Path) -> dict[str, Any]:
    """What only our app is asked: a hundred of stock Voila's kernels would not fit into small machines."""
    with served("ours", folder / LESSON) as server:
        prepare(server, LESSON)
        server.settle()
        demos = asyncio.run(two_hundred(server))
        told = asyncio.run(hundred(server))
        time.sleep(CLOSED_S)
        return {"200 on a demo": demos, "100 on lesson 05": {**told, "kernels_left": len(server.kernels())}}


def targets(report: dict[str, Any]) -> dict[str, bool]:
    """What issue 8 asks for."""

    def ratio(name: str, key: str = "ms") -> float:
        pair = report["paint"][f"{name}, preheated"]
        return float(pair["ours"][key] / pair["stock"][key])

    twenty = {name: at["20"] for name, at in report["crowds"].items()}
    masses = report["masses"]
    return {
        "a demo is usable in half of stock's time": ratio(DEMO) <= 0.5,
        "a lesson page in no more than stock's": max(ratio(PLAIN), ratio(LESSON)) <= 1,
        "with fewer bytes and requests": max(ratio(n, k) for n in (PLAIN, LESSON) for k in ("kB", "requests"))
        < 1,
        "a page without torch takes 45 MiB a visitor": report["memory"][PLAIN]["ours"] <= 45,
        "20 at once: the last in 0.7 of stock's time": all(
            at["ours"]["served"] == 20 and at["ours"]["last_s"] <= 0.7 * at["stock"]["last_s"]
            for at in twenty.values()
        ),
        "200 on a demo in 5 s": masses["200 on a demo"]["served"] == 200
        and masses["200 on a demo"]["all_s"] <= 5,
        "100 on lesson pages: nobody hangs": masses["100 on lesson 05"]["neither"] == 0,
        "no kernel 30 s after all tabs closed": masses["100 on lesson 05"]["kernels_left"] == 0
        and all(at["ours"]["kernels_left"] == 0 for at in twenty.values()),
    }


def markdown(report: dict[str, Any]) -> str:
    """Tables with a column for the ratio, ours by stock's."""
    lines = ["| page | measure | ours | stock Voila | ratio |", "|---|---|---|---|---|"]

    def row(page: str, what: str, ours: float, stock: float) -> None:
        lines.append(
            f"| {page} | {what} | {ours:g} | {stock:g} | {ours / stock if stock else float('nan'):.2f} |"
        )

    for page, pair in report["paint"].items():
        for key, what in (("ms", "GET to first widget, ms"), ("kB", "kB"), ("requests", "requests")):
            row(page, what, pair["ours"][key], pair["stock"][key])
    for page, at in report["crowds"].items():
        for size, pair in at.items():
            row(
                f"{page}, {size} at once",
                "last one has Python, s",
                pair["ours"]["last_s"],
                pair["stock"]["last_s"],
            )
        row(
            page, "MiB PSS each visitor more", report["memory"][page]["ours"], report["memory"][page]["stock"]
        )
        left = [at[max(at, key=int)][side]["kernels_left"] for side in SIDES]
        lines.append(f"| {page} | kernels {CLOSED_S} s after all tabs closed | {left[0]} | {left[1]} | |")
    lines += ["", *(f"- {name}: {json.dumps(told)}" for name, told in report["masses"].items())]
    lines += ["", *(f"- {'met' if met else 'NOT met'}: {what}" for what, met in report["targets"].items())]
    return "\n".join(lines)


def measure(rounds: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        print("A Chromium is needed: apt install chromium", file=sys.stderr)
        raise SystemExit(2)
    AsyncHTTPClient.configure(None, max_clients=300, max_body_size=2**28)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for notebook in (PLAIN, LESSON):
            copy_lesson(notebook, folder / notebook.replace("/", "-"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            report: dict[str, Any] = {"paint": paints(browser, folder, rounds)}
            browser.close()
        print(json.dumps(report), file=sys.stderr, flush=True)
        report["crowds"] = {notebook: crowds(folder, notebook, CROWDS) for notebook in (PLAIN, LESSON)}
        report["memory"] = {notebook: a_visitors_memory(at) for notebook, at in report["crowds"].items()}
        print(json.dumps(report), file=sys.stderr, flush=True)
        report["masses"] = masses(folder)
    report["targets"] = targets(report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="preheated visits of each page by each side")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--markdown", type=Path, help="write the tables to a file, too")
    chosen = parser.parse_args()
    report = measure(max(3, chosen.rounds))
    if chosen.markdown:
        chosen.markdown.write_text(markdown(report) + "\n", encoding="utf-8")
    print(json.dumps(report) if chosen.json else markdown(report))
    return 0 if all(report["targets"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
