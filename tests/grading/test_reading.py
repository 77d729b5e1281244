# ruff: noqa: E501 - a learner's cells are written on one line each
"""What is taken out of a notebook, whatever its state; why a file cannot be read."""

from __future__ import annotations

import ast
import json
import random

import pytest
from hand_in import HEAD, grade, notebook, solved

from coursekit.exercises import find_exercise
from coursekit.grading.grader import exercises_in, grade_one
from coursekit.grading.program import needed_by, tree_digest, trees_for
from coursekit.grading.reading import Unreadable, read_notebook
from coursekit.grading.submission import Submission

ID = "nearest"
BODY = find_exercise(ID).solution


def read(*cells, **metadata):
    return read_notebook(notebook(*cells, **metadata))


def needed(*cells, id=ID):
    """The text of what runs for an answer, in order."""
    found = read(*cells)
    return [ast.unparse(one.tree) for one in needed_by(found, found.answers[id])]


@pytest.mark.parametrize(
    "decorator",
    ['@exercise("nearest")', '@ck.exercise("nearest")', "@exercise(id='nearest')", "@build('nearest')"],
)
def test_an_answer_is_found_by_its_id(decorator):
    found = read("import coursekit as ck\nfrom coursekit import exercise as build", f"{decorator}\n{BODY}")
    assert list(found.answers) == [ID]


def test_the_last_definition_wins_and_its_name_does_not_matter():
    found = read(solved(ID), f'@exercise("{ID}")\ndef mine_own(x, factor):\n    return x\n')
    assert found.answers[ID].expression == "mine_own"


def test_a_function_handed_to_the_check_counts():
    assert read(f'{BODY}\nexercise("{ID}")(nearest)').answers[ID].expression == "nearest"


def test_the_run_is_not_repeated():
    cells = [
        "net = train(data)",
        "for _ in range(9):\n    fit(net)",
        "import torch",
        f"print('hello')\n{solved(ID)}",
    ]
    assert needed(*cells)[:-1] == [one for one in ["import torch"] if "torch." in BODY]


def test_what_an_answer_needs_is_taken_and_nothing_else():
    cells = [
        "import math, os\nimport matplotlib.pyplot as plt",
        "SIZE = 2\nOTHER = 3",
        "def helper(x):\n    return math.ceil(x * SIZE)",
        '@exercise("nearest")\ndef nearest(x, factor):\n    return helper(x)',
    ]
    assert [one.split("\n")[0] for one in needed(*cells)] == [
        "import math, os",
        "SIZE = 2",
        "def helper(x):",
        "def nearest(x, factor):",
    ]


def test_the_state_is_that_of_the_answers_own_check():
    cells = [
        "def helper(x):\n    return 1",
        '@exercise("nearest")\ndef nearest(x, factor):\n    return helper(x), late(x)',
        "def helper(x):\n    return 2",
        "def late(x):\n    return 3",
    ]
    assert "return 2" not in "".join(needed(*cells))
    assert "return 3" in "".join(needed(*cells))


def test_a_constant_that_a_run_overwrote_is_not_taken():
    cells = ["K = 1", "K = train()", '@exercise("nearest")\ndef nearest(x, factor):\n    return K']
    assert len(needed(*cells)) == 1


def test_a_cell_that_python_does_not_understand_costs_only_itself(sandbox):
    cells = ["def oops(:\n", solved(ID), '@exercise("stamp")\ndef stamp(cell kernel):\n    pass']
    got = grade(sandbox, *cells, ids=[ID, "stamp", "class-share"])
    assert [one.state for one in got.values()] == ["right", "error", "missing"]
    assert "line 2" in got["stamp"].reason


def test_magics_are_no_mistakes(sandbox):
    cells = [
        "%matplotlib inline\n!pip list\nimport torch\nimport_me?",
        f"%%time\n{solved(ID)}",
        "%%bash\nrm -rf {",
    ]
    assert grade(sandbox, *cells, ids=[ID], head="")[ID].state == "right"


def test_moved_cells_and_helpers_below(sandbox):
    using = '@exercise("nearest")\ndef nearest(x, factor=FACTOR):\n    return twice(x, factor)\n'
    helper = "FACTOR = 2\ndef twice(x, factor):\n    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)"
    assert grade(sandbox, using, helper, HEAD, ids=[ID], head="")[ID].state == "right"


def test_lambdas_classes_and_small_constants_are_there(sandbox):
    cells = [
        "import dataclasses\nREPEAT = lambda x, n, axis: x.repeat_interleave(n, axis)\nONE = torch.tensor([1.0])",
        "@dataclasses.dataclass\nclass Axes:\n    rows: int = 0\n    columns: int = 1",
        '@exercise("nearest")\ndef nearest(x: Grid, factor: int) -> Grid:\n'
        "    axes = Axes()\n    return REPEAT(REPEAT(x, factor, axes.rows), factor, axes.columns) * ONE",
    ]
    assert grade(sandbox, *cells, ids=[ID])[ID].state == "right"


def test_mine_is_the_learners_own(sandbox):
    using = '@exercise("bed-of-nails")\ndef nails(x, factor):\n    return mine("nearest")(x, factor)\n'
    got = grade(sandbox, solved(ID), using, ids=["bed-of-nails"])["bed-of-nails"]
    assert got.state in ("partial", "wrong")
    alone = grade(sandbox, using, ids=["bed-of-nails"])["bed-of-nails"]
    assert alone.state == "error"
    assert "same notebook" in alone.reason


def test_an_undecorated_function_is_pointed_out(sandbox):
    got = grade(sandbox, BODY, ids=[ID])[ID]
    assert got.state == "missing"
    assert "without that line" in got.reason


def test_all_exercises_of_a_lesson_are_asked_for():
    assert exercises_in(notebook(solved("stamp"))) == (
        "strided-conv",
        "transposed-conv",
        "output-padding",
        "stamp",
    )
    assert exercises_in(notebook("1", coursekit={"lesson": "00-start-here"})) == ("class-share",)
    assert exercises_in(b"") == ()


GOOD = notebook(solved(ID))
UNREADABLE = {
    "empty": b"",
    "blank": b" \n",
    "truncated": GOOD[: len(GOOD) // 2],
    "not JSON": b"Dear teacher, my dog ate it.",
    "not UTF-8": GOOD.replace(b"nearest", b"n\xe9arest"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a list": b"[]",
    "no notebook": b'{"a": 1}',
    "deep": b"[" * 200_000,
    "no cells": b'{"nbformat": 4, "cells": []}',
    "cells of a strange kind": b'{"nbformat": 4, "cells": "all"}',
    "format 3": json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}).encode(),
    "another language": notebook("1", kernelspec={"name": "ir", "language": "R"}),
    "too much code": notebook(*["x = 1\n" * 40_000] * 9),
    "a zip": b"PK\x03\x04" + bytes(range(256)),
    "a huge number": b'{"nbformat": 4, "cells": [' + b"9" * 10_000 + b"]}",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_has_a_reason(name):
    with pytest.raises(Unreadable, match=r"Try .*\."):
        read_notebook(UNREADABLE[name])
    result = grade_one(Submission("ada", "a.ipynb", UNREADABLE[name]), b"s", [ID], None)
    assert [(one.state, one.fraction) for one in result.exercises] == [("unreadable", 0)]
    assert result.reason
    assert result.sandbox == "none"


def test_a_file_that_could_not_be_opened_keeps_its_reason():
    result = grade_one(Submission("ada", "a.ipynb", None, "a symbolic link"), b"s", [ID], None)
    assert (result.reason, result.exercises[0].reason) == ("a symbolic link", "a symbolic link")


READABLE = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "duplicate ids": GOOD.replace(b"c1", b"c0"),
    "lines": json.dumps(
        {"cells": [{"cell_type": "code", "source": solved(ID).splitlines(keepends=True)}]}
    ).encode(),
    "strange cells": json.dumps(
        {
            "nbformat": 4,
            "cells": [None, 3, {}, {"cell_type": "code", "source": 7}, *json.loads(GOOD)["cells"]],
        }
    ).encode(),
    "many outputs": GOOD.replace(b'"outputs": []', b'"outputs": ["' + b"x" * (50 << 20) + b'"]', 1),
    "deep code": notebook("(" * 1000, "-" * 50_000 + "1", "+".join(["1"] * 50_000), solved(ID)),
}


@pytest.mark.parametrize("name", READABLE)
def test_an_awkward_file_is_read(name):
    assert list(read_notebook(READABLE[name]).answers) == [ID]


def mutated(data, rng):
    """The bytes of a notebook, changed in a few places."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randint(1, 40)]
        elif kind == 2:
            data[at:at] = data[rng.randrange(len(data)) :][: rng.randint(1, 40)]
        else:
            data[at:at] = rng.choice([b'"', b"{", b"]", b"null", b"\\n", b"\\ud800", b"-1e999", b"\xff"])
    return bytes(data) or b"x"


def reshaped(data, rng):
    """A notebook with values of its structure replaced by others."""
    made = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        owner, key = made, None
        for _ in range(rng.randint(1, 4)):
            keys = (
                list(owner)
                if isinstance(owner, dict)
                else list(range(len(owner)))
                if isinstance(owner, list)
                else []
            )
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(owner[key], dict | list) and rng.random() < 0.8:
                owner, key = owner[key], None
            else:
                break
        if key is not None:
            owner[key] = rng.choice([None, [], {}, "", 7, -1.5, [[]], {"a": 1}, "\ud800", "x" * 1000, True])
    return json.dumps(made).encode()


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_mutated_file_is_without_a_result(count):
    rng = random.Random(count)
    cells = [HEAD, "%time x = 1", solved(ID), "K = [1, 2]\ndef helper(x):\n    return K", solved("stamp")]
    whole = notebook(*cells, kernelspec={"language": "python"}, coursekit={"lesson": "x"})
    sentences = set()
    for number in range(count):
        data = (mutated if number % 2 else reshaped)(whole, rng)
        try:
            found = read_notebook(data)
        except Unreadable as reason:
            sentences.add(str(reason))
            continue
        for answer in found.answers.values():
            assert trees_for(found, answer)
    assert len(sentences) > 3
    assert all(sentences)


def test_copies_have_the_same_digest():
    def digest(text):
        found = read(text)
        return tree_digest(trees_for(found, found.answers[ID])[-1:])

    renamed = solved(ID).replace("factor", "f").replace("):\n", "):\n    '''My own.'''  # really\n", 1)
    assert digest(solved(ID)) == digest(renamed)
    assert digest(solved(ID)) != digest(solved(ID).replace("0", "1"))
