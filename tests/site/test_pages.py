"""Every page is whole: it parses, names itself, refers to nothing outside, and is small."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from reader import Page as read_anew
from reader import data_of, scripts_of, without_images

from coursekit import widgets
from coursekit.curriculum import LESSONS
from coursekit.exercises import all_exercises
from coursekit.site import demo_page, demos, lesson_page
from coursekit.site.live import Live, Stage
from coursekit.site.shell import FOLDER, page

MOST_BYTES = 300_000
LONG_LINE = 30  # letters: shorter lines of a solution stand in other code as well
OUTSIDE = re.compile(r"""(?:@import|\burl\()\s*["']?\s*(?!data:|#)[^\s"')]+""")
Page = cache(read_anew)  # several tests ask about the same texts


def test_there_is_a_page_for_the_index_every_demo_and_every_lesson(pages: dict[str, str]) -> None:
    expected = {"index.html"} | {f"{each.name}.html" for each in demos()}
    assert set(pages) == expected | {f"{lesson.id}.html" for lesson in LESSONS}


def test_every_page_parses_and_names_itself(pages: dict[str, str]) -> None:
    titles = []
    for name, text in pages.items():
        read = Page(text)
        assert read.unbalanced == [], name
        assert len(read.texts["h1"]) == 1, name
        assert len(read.texts["main"]) == 1, name
        assert len(read.ids()) == len(set(read.ids())), name
        (description,) = [each["content"] for each in read.all("meta") if each.get("name") == "description"]
        assert 30 <= len(description) <= 200, (name, description)
        titles.append(read.texts["title"][0])
    assert len(set(titles)) == len(titles)
    assert all("Every pixel" in title for title in titles)


def test_no_page_asks_for_anything_outside_itself(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        read = Page(text)
        fetched = [
            (tag, attribute, value)
            for tag, attributes in read.elements
            for attribute, value in attributes.items()
            if (attribute in ("src", "srcset", "data", "poster", "xlink:href"))
            or (attribute == "href" and tag != "a")
            if not value.startswith(("data:", "#"))
        ]
        assert fetched == [], name
        assert OUTSIDE.findall("\n".join(read.texts.get("style", []))) == [], name


def test_a_reference_outside_would_be_found() -> None:
    """Else the test before could pass for ever."""
    assert OUTSIDE.findall("@import 'https://example.org/a.css'; .a { background: url(b.png) }")
    assert not OUTSIDE.findall(".a { background: url(data:image/png;base64,AA) } .b { clip-path: url(#c) }")


def test_links_lead_to_pages_that_are_there(pages: dict[str, str]) -> None:
    anchors = {name: set(Page(text).ids()) for name, text in pages.items()}
    for name, text in pages.items():
        for link in Page(text).all("a"):
            address, _, anchor = link["href"].partition("#")
            if address.startswith("https://"):
                continue
            assert (address or name) in pages, (name, link)
            assert not anchor or anchor in anchors[address or name], (name, link)


def test_every_page_can_be_reached_from_the_index(pages: dict[str, str]) -> None:
    linked = {link["href"].partition("#")[0] for link in Page(pages["index.html"]).all("a")}
    assert set(pages) - {"index.html"} <= linked
    assert all(each["href"] for text in pages.values() for each in Page(text).all("a"))


def test_a_page_is_small_before_its_images(pages: dict[str, str]) -> None:
    sizes = {name: len(without_images(text).encode()) for name, text in pages.items()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_no_page_tells_a_place_on_the_machine_that_made_it(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert not re.search(r"(?<![\w.])/(?:tmp|home|root|work|Users)/", without_images(text)), name


def test_every_widget_is_in_a_demo_with_the_script_that_jupyter_gets(pages: dict[str, str]) -> None:
    shown = {
        kind: script for each in demos() for kind, script in scripts_of(pages[f"{each.name}.html"]).items()
    }
    # ProgressMap is HTML without a script, SideBySide a row of others.
    assert set(shown) == set(widgets.__all__) - {"ProgressMap", "SideBySide"}
    assert all(script == getattr(widgets, kind)._esm for kind, script in shown.items())
    assert "pm-map" in pages["progress-map.html"]


def test_every_place_on_a_page_has_its_model(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        places = [each for each in Page(text).all("div") if "data-model" in each]
        models = (data_of(text) or {"models": []})["models"]
        assert {int(each["data-model"]) for each in places} == set(range(len(models))), name
        assert all(models[int(each["data-model"])]["kind"] == each["data-kind"] for each in places), name


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_lessons_page_has_its_prose_its_exercises_and_its_demos(lesson, pages: dict[str, str]) -> None:
    text = pages[f"{lesson.id}.html"]
    read = Page(text)
    assert lesson.title in read.texts["h1"][0]
    code = lesson.path.read_text(encoding="utf-8")
    asked = [each for each in read.all("section") if each.get("class") == "exercise"]
    assert len(asked) == len(re.findall(r'@exercise\(\\"', code))
    assert f"lessons/{lesson.id}.ipynb" in text
    kinds = set(scripts_of(text))
    assert "Predict" in kinds
    folded = [each for each in read.all("details") if each.get("class") == "code"]
    assert folded
    assert not any("open" in each for each in folded)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_the_contents_list_sections_in_the_order_of_the_page(lesson, pages: dict[str, str]) -> None:
    text = pages[f"{lesson.id}.html"]
    listed = re.findall(r'<li><a href="#(section-\d+)">(\d+) ·', text)
    assert [int(number) for _, number in listed] == list(range(1, len(listed) + 1))
    places = [text.index(f'id="{anchor}"') for anchor, _ in listed]
    assert places == sorted(places)


def test_a_guess_has_its_answer_with_it_and_shows_it_only_after_the_guess(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        for model in (data_of(text) or {"models": []})["models"]:
            if model["kind"] == "Predict" and model["state"]["static"]["is"]:
                assert not model["state"]["revealed"]["is"], name
                assert "answer" in model["state"]["solution"]["is"], name


def test_no_page_gives_an_exercises_solution_away(pages: dict[str, str]) -> None:
    told = {name: html.unescape(re.sub(r"<[^>]+>", "", text)) for name, text in pages.items()}
    given = {
        (name, each.id, line)
        for each in all_exercises()
        for line in written_by_the_learner(each)
        for name in told
        if name.startswith(each.lesson) and line in told[name]
    }
    assert given == set()


def written_by_the_learner(exercise: Any) -> set[str]:
    """The longer lines of a reference that its starter lacks."""
    lines = {line.strip() for line in exercise.solution.splitlines()}
    return {line for line in lines if len(line) > LONG_LINE and line not in exercise.starter}


def test_answers_are_closed_until_the_guess_and_say_so(pages: dict[str, str]) -> None:
    count = 0
    for name, text in pages.items():
        models = (data_of(text) or {"models": []})["models"]
        for each in Page(text).all("details"):
            if each.get("class") == "waits":
                count += 1
                assert "open" not in each, name
                asked = [models[int(at)] for at in each["data-models"].split()]
                assert all(one["kind"] == "Predict" and one["state"]["static"]["is"] for one in asked), name
    assert count >= 30


def test_a_quizs_answers_stand_in_no_code_that_a_reader_can_open(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert "quiz([" not in re.sub(r"<[^>]+>", "", text.partition('id="page-data"')[0]), name


def test_every_demo_has_its_picture() -> None:
    for each in demos():
        drawn = (FOLDER / "pictures" / each.picture).read_text(encoding="utf-8")
        assert drawn.startswith("<svg")
        assert len(drawn) < 20_000
        assert each.teaches.endswith((".", "?"))


def test_a_page_of_grids_needs_no_torch() -> None:
    code = (
        "import sys; from coursekit.site import demo_page, demos; demos(); demo_page('grid-explorer'); "
        "demo_page('switch-surgery'); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_page_can_lie_elsewhere() -> None:
    text = demo_page("tug", home="/", lesson="/lessons/{id}", demo="/demos/{name}")
    links = {each["href"] for each in Page(text).all("a")}
    assert {"/", "/lessons/09-one-backbone-two-heads", "/demos/guess-first"} <= links


def test_what_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(ValueError, match="grid-explorer"):
        demo_page("no-such-demo")
    with pytest.raises(ValueError, match="Try one of 0, 1"):
        lesson_page(99)


def test_no_text_of_a_widget_can_end_the_pages_script() -> None:
    stage = Stage()
    hostile = "</script><script>alert(1)</script><!--<script>"
    live = Live("Quiz", {"title": hostile, "questions": [hostile * 40]}, "<p>none</p>", "one")
    text = page("A page", "It says what it is.", stage.place(live), stage)
    assert Page(text).unbalanced == []
    assert len(Page(text).all("script")) == 3
    told = data_of(text)
    assert told is not None
    assert told["models"][0]["state"]["title"]["is"] == hostile
    assert told["shared"] == [[hostile * 40]]


def test_two_views_of_a_widget_share_one_model() -> None:
    stage, live = Stage(), Live("Quiz", {"title": "a"}, "", "same")
    assert stage.place(live) == stage.place(live)
    assert 'data-model="1"' in stage.place(Live("Quiz", {"title": "b"}, "", "other"))
