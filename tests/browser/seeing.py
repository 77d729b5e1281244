"""What every page of ours is asked in a browser: is it quiet, does it answer keys, does axe find anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

SERIOUS = {"serious", "critical"}
PHONE, LAPTOP = {"width": 360, "height": 780}, {"width": 1280, "height": 900}
EVERY_WAY = [(LAPTOP, "light"), (LAPTOP, "dark"), (PHONE, "dark"), (PHONE, "light")]
TWO_WAYS = [(LAPTOP, "light"), (PHONE, "dark")]
# What one sees of a node: text, what is chosen, what is drawn, where the focus is.
SEEN = """(one) => [
  one.innerHTML,
  [...one.querySelectorAll("input")].map((each) => [each.checked, each.value]),
  [...one.querySelectorAll("canvas")].map((each) => each.toDataURL()),
  [...one.querySelectorAll("details")].map((each) => each.open),
  [...one.querySelectorAll("*")].indexOf(document.activeElement),
].join()"""


@contextmanager
def listening_window(browser: Any) -> Iterator[Any]:
    """One window for many pages; what a page logs or asks for is in `errors` and `asked`."""
    context = browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
    page = context.new_page()
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on(
        "console", lambda said: page.errors.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def begin(window: Any) -> None:
    """As a first visitor's: large, light, nothing said or asked yet."""
    window.set_viewport_size(LAPTOP)
    window.emulate_media(color_scheme="light")
    window.errors.clear()
    window.asked.clear()


def complaints(page: Any, name: str, node: str | None = None) -> list[str]:
    """What axe finds serious on a page, or in the nodes of a selector."""
    found = Axe().run(page, context={"include": [[node]]} if node else None).response["violations"]
    return [
        f"{name}: {one['impact']}: {one['id']} at {each['html'][:160]}: {each['failureSummary'][:300]}"
        for one in found
        if one["impact"] in SERIOUS
        for each in one["nodes"][:3]
    ]


def looked_at(page: Any, name: str, ways: list[tuple[dict[str, int], str]], artifacts: Path) -> list[str]:
    """axe's complaints in each size and scheme, with a screenshot; and whether the page is too wide."""
    found = []
    for size, scheme in ways:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        seen = f"{name}-{size['width']}-{scheme}"
        page.wait_for_function(
            "dark => [...document.querySelectorAll('main [data-theme]')].every((one) => "
            "(one.dataset.theme === 'dark') === dark)",
            arg=scheme == "dark",
        )
        found += complaints(page, seen)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{seen}: wider than the screen")
        page.screenshot(path=str(artifacts / f"{seen}.png"), full_page=True)
    return found


def press(page: Any, seen: Any, place: Any, key: str) -> None:
    """A key in one place; what `seen` holds must then look different."""
    place.focus()
    before = seen.evaluate(SEEN)
    place.press(key)
    page.wait_for_function(
        f"([one, before]) => ({SEEN})(one) !== before", arg=[seen.element_handle(), before]
    )
