"""A learner's page says everything about their answers, hides what must stay hidden, and runs nothing."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.batch import run_batch
from coursekit.grading.feedback import feedback_page, file_names, write_feedback, write_whole
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.lesson_plan import as_page, lesson_plan
from coursekit.grading.scores import Policy, Standing, standings
from coursekit.grading.submissions import find_submissions
from coursekit.grading.summary import summary_page
from tests.grading.classroom import EXERCISES, VERSIONS, grade, handed_in, write_class

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
RAISES = f"def class_share(mask, label):\n    print({EVIL!r})\n    raise ValueError({EVIL!r})\n"
PRINTS = f"def stamp(cell, kernel):\n    print({EVIL!r} * 3, '\\ud800')\n    return cell\n"
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "p"),
    *("span", "h1", "h2", "strong", "i", "a", "br", "ul", "ol", "li", "table", "caption", "thead", "tbody"),
    *("tr", "th", "td"),
    *("figure", "figcaption", "svg", "desc", "rect", "text", "path", "code", "pre", "details", "summary"),
}  # fmt: skip


class Seen(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gradebook, list[Standing]]]:
    folder = tmp_path_factory.mktemp("room")
    answers = {
        "ada": handed_in(class_share="right", max_pool="mean", stamp="first-channel"),
        "bob": handed_in(class_share="count", max_pool="mean", stamp="starter"),
        "<script>alert(3)<∕script>": handed_in(class_share=RAISES, stamp=PRINTS, max_pool="right"),
        "eve": b"{",
    }
    known = {m.id for m in EXERCISES["stamp"].misconceptions}
    mistake = "first-channel" if "first-channel" in known else min(known)
    answers["ada"] = answers["ada"].replace(b"first-channel", mistake.encode())
    write_class(folder / "class", answers)
    book = Gradebook(folder / "class.sqlite", VERSIONS)
    run_batch(find_submissions([folder / "class"])[0], book, grade)
    book.override("ada", "stamp", 1.5, f"see me {EVIL}")
    yield book, standings(book.attempts(), book.overrides(), Policy(), list(EXERCISES))
    book.close()


def pages(found: list[Standing]) -> dict[str, str]:
    made = {one.learner: feedback_page(one, EXERCISES) for one in found}
    return {
        **made,
        "summary": summary_page(found, EXERCISES),
        "plan": as_page(lesson_plan(found, EXERCISES), len(found)),
    }


def test_nothing_a_learner_wrote_becomes_markup(room: Any) -> None:
    for who, page in pages(room[1]).items():
        seen = Seen(page)
        assert seen.tags <= ALLOWED, (who, seen.tags - ALLOWED)
        assert not [name for name, _ in seen.attributes if name.startswith("on")]
        assert "script" not in seen.tags
        assert "img" not in seen.tags
    evil = next(page for who, page in pages(room[1]).items() if "script" in who)
    assert "onerror=alert(2)" in Seen(evil).text  # told, as text


def test_a_page_needs_nothing_else(room: Any) -> None:
    for page in pages(room[1]).values():
        fetched = [
            v for name, v in Seen(page).attributes if name in ("src", "href", "action", "data", "poster")
        ]
        assert all(value.startswith("#") for value in fetched)
        assert "@import" not in page
        assert "url(" not in page
        assert "default-src 'none'" in page
        assert page.count("<style>") == 2


def test_a_page_says_it_all(room: Any) -> None:
    text = Seen(pages(room[1])["ada"]).text
    assert "ada" in text
    assert "mean" in text.lower()
    exercise = EXERCISES["max-pool"]
    mistake = next(one for one in exercise.misconceptions if one.id == "mean")
    assert mistake.says in text
    assert exercise.title in text
    assert all(re.sub("`", "", hint) in text for hint in exercise.hints)
    assert all(re.sub("`", "", one.says) in text for one in exercise.properties)
    assert "Scored by your instructor: see me" in text
    assert "<svg" in pages(room[1])["ada"]
    assert not any(
        re.sub("`", "", hint) in text for hint in EXERCISES["class-share"].hints
    )  # that one is right


def test_neither_the_seed_nor_a_reference_is_told(room: Any) -> None:
    book, found = room
    for page in pages(found).values():
        assert book.seed not in page
        for exercise in EXERCISES.values():
            body = exercise.solution.split("\n", 1)[1].strip()
            assert body not in Seen(page).text


def test_an_unreadable_file_is_explained(room: Any) -> None:
    text = Seen(pages(room[1])["eve"]).text
    assert "eve.ipynb could not be read" in text.replace("\n", " ")
    assert "It is no notebook" in text


def test_lateness_is_told(room: Any) -> None:
    book, _ = room
    due = min(one.handed_in or 0 for one in book.attempts()) - 1
    found = standings(book.attempts(), (), Policy(due=due, per_day=0.5), list(EXERCISES))
    text = Seen(next(feedback_page(one, EXERCISES) for one in found if one.learner == "ada")).text
    assert "1 day late: 1 became 0.5" in text


def test_every_learner_gets_a_file_within_the_folder(room: Any, tmp_path: Path) -> None:
    files = write_feedback(tmp_path / "out", room[1], EXERCISES)
    assert set(files) == {one.learner for one in room[1]}
    assert {one.name for one in (tmp_path / "out").iterdir()} == {one.name for one in files.values()}


@given(st.lists(st.text(max_size=80), unique=True, max_size=12))
def test_file_names_are_safe_and_never_collide(learners: list[str]) -> None:
    names = file_names(learners)
    assert set(names) == set(learners)
    assert len({name.casefold() for name in names.values()}) == len(learners)
    for name in names.values():
        assert re.fullmatch(r"[^\W_][\w-]*\.html", name)
        assert Path(name).name == name


@pytest.mark.parametrize(
    "learner", ["../../etc/passwd", "a/b", "..", "", "CON", ".hidden", "x\0y", "a" * 500]
)
def test_names_that_lead_elsewhere(learner: str, tmp_path: Path) -> None:
    (name,) = file_names([learner]).values()
    write_whole(tmp_path / name, "page")
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="needs links")
def test_a_link_under_a_pages_name_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "ada.html").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "ada.html", "page")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "ada.html").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="asks for what only POSIX has")
def test_only_its_owner_reads_a_page_unless_asked(tmp_path: Path) -> None:
    write_whole(tmp_path / "ada.html", "page")
    assert stat.S_IMODE((tmp_path / "ada.html").stat().st_mode) == 0o600
    write_whole(tmp_path / "ada.html", "page", 0o644)
    assert stat.S_IMODE((tmp_path / "ada.html").stat().st_mode) == 0o644


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    contexts = []

    def open_page(html: str, width: int = 1100, theme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        file = tmp_path / f"page-{len(contexts)}.html"
        write_whole(file, html)
        page = context.new_page()
        page.told = []
        page.on("dialog", lambda dialog: (page.told.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: page.told.append(message.text))
        page.on(
            "request", lambda request: page.told.append(request.url) if "page-" not in request.url else None
        )
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_in_a_browser(room: Any, opened: Callable[..., Any], theme: str, width: int) -> None:
    for who, html in pages(room[1]).items():
        page = opened(html, width, theme)
        assert not page.told, (who, page.told)  # no dialog, no request, no error
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), who
        found = Axe().run(page).response["violations"]
        assert not found, (who, [(one["id"], one["nodes"][0]["html"][:200]) for one in found])


@pytest.mark.slow
def test_should_escaping_ever_fail_no_script_runs(room: Any, opened: Callable[..., Any]) -> None:
    html = pages(room[1])["ada"].replace(
        "<main>", "<main><script>alert(1)</script><img src='http://x.test/y.png'>"
    )
    page = opened(html)
    page.wait_for_load_state("load")
    assert any("Content Security Policy" in told or "Content-Security-Policy" in told for told in page.told)
    assert not any(told == "1" for told in page.told)


@pytest.mark.slow
def test_printed_it_is_black_on_white_with_answers_uncovered(room: Any, opened: Callable[..., Any]) -> None:
    page = opened(pages(room[1])["plan"], theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    assert page.evaluate(colour.format("body", "backgroundColor")) == "rgb(255, 255, 255)"
    assert page.evaluate(colour.format(".ck-card", "color")) == "rgb(0, 0, 0)"
    assert page.evaluate(
        "document.querySelector('details .ck-figure').checkVisibility({contentVisibilityAuto: true})"
    )
