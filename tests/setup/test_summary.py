"""CI's closing lines count what really ran."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "summary.py"
TESTS = """<testsuites><testsuite>
<testcase classname="tests.a" name="one"/>
<testcase classname="tests.a" name="two"><skipped/></testcase>
<testcase classname="tests.a" name="three">{}</testcase>
</testsuite></testsuites>"""
LESSONS = """<testsuites><testsuite>
<testcase classname="lessons.05-demo" name="Cell 0"/>
<testcase classname="lessons.05-demo" name="Cell 1"/>
<testcase classname="lessons.06-demo" name="Cell 0"/>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def summary() -> ModuleType:
    spec = importlib.util.spec_from_file_location("summary", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("third", "code", "last"),
    [("", 0, "5 passed, 0 failed, 1 skipped"), ("<failure/>", 1, "4 passed, 1 failed, 1 skipped")],
)
def test_tests_and_lessons_are_counted(
    third: str, code: int, last: str, summary: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tests.xml").write_text(TESTS.format(third))
    (tmp_path / "lessons.xml").write_text(LESSONS)
    assert summary.main([str(tmp_path / "tests.xml"), str(tmp_path / "lessons.xml")]) == code
    first, closing = capsys.readouterr().out.splitlines()
    assert first == "CI ran 5 tests and 2 lessons (lessons.05-demo, lessons.06-demo)."
    assert closing == last


def test_nothing_ran_is_a_failure(summary: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "empty.xml").write_text("<testsuites/>")
    assert summary.main([str(tmp_path / "empty.xml")]) == 1
