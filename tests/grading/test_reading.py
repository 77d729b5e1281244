# ruff: noqa: E501 - a learner's cells are written on one line each
"""What is taken out of a notebook, whatever its state; why a file cannot be read."""

from __future__ import annotations

import ast
import json
import random

import pytest
from hand_in import HEAD, function, grade, notebook, solved
from IPython.core.inputtransformer2 import TransformerManager

from coursekit.checking import surroundings, taking
from coursekit.checking.binding import read_by
from coursekit.exercises import find_exercise
from coursekit.grading.bubblewrap import COURSE, IN_A_LESSON
from coursekit.grading.grader import exercises_in, grade_one
from coursekit.grading.inside import preloader
from coursekit.grading.program import needed_by, tree_digest, trees_for
from coursekit.grading.reading import Unreadable, read_notebook
from coursekit.grading.submission import Submission

ID, OTHER = "nearest", "bed-of-nails"
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


RIGHT_WITH = "@exercise('nearest')\ndef nearest(x, factor):\n    {}\n    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)"
FILLED = {
    "cells": "K = torch.zeros(2)\nK[1] = 1.0\nK[0] += 2",
    "keys": 'T = {}\nT["a"] = 1\nT.update(b=2)',
    "items": "L = []\nL.append(1)\nL += [2]",
    "torch": "K = torch.zeros(2)\nK.fill_(3)\ntorch.nn.init.ones_(K)",
    "a loop": "L = []\nfor i in range(3):\n    L.append(i * i)",
    "a comprehension": "L = [i * i for i in range(3)]",
    "methods": "K = torch.arange(9.0).reshape(3, 3).flip(0) / torch.ones(3).outer(torch.ones(3)).sum()",
    "a timed line": "%time K = torch.zeros(2)",
    "an attribute": "class C: pass\nc = C()\nc.n = 3",
}


@pytest.mark.parametrize("name", FILLED)
def test_a_constant_that_is_filled_in_place_is_taken_filled(name):
    made = [ast.unparse(one) for one in ast.parse(FILLED[name].removeprefix("%time ")).body]
    assert needed(FILLED[name], RIGHT_WITH.format("K, T, L, c"))[:-1] == made


@pytest.mark.parametrize(
    "filling",
    [
        "K[0] = train()",
        "K.append(train())",
        "for i in range(3):\n    K[i] = train(i)",
        "with torch.no_grad():\n    K.fill_(1)",
        "del K[0]",
        "K.data = train()",
        "i = train()\nK[0] = i",
        "y = torch.zeros(1) + K.add_(train())",
        "net = train()\nK = net.weight.mean()",
    ],
)
def test_a_constant_that_a_run_filled_is_not_taken(filling):
    assert len(needed("K = [0]\nK[0] = 1", filling, RIGHT_WITH.format("K"))) == 1


def test_a_method_that_changes_nothing_costs_nothing():
    assert (
        len(needed("K = torch.zeros(1)", "y = K.add(train())\nprint(K[0], K.mean())", RIGHT_WITH.format("K")))
        == 2
    )


def test_the_variables_of_a_comprehension_stay_in_it():
    kept = needed("k = 3", "print([k * k for k in range(4)], {k for k in 'ab'})", RIGHT_WITH.format("k"))
    assert kept[0] == "k = 3"
    assert len(needed("k = 3", "print([(k := i) for i in range(4)])", RIGHT_WITH.format("k"))) == 1


MADE = {
    "a closure": "def make(k):\n    return lambda x: x * k\nf = make(2)\nf(x)",
    "vmap": "def row(r):\n    return r * 2\nf = torch.vmap(row)\nf(x)",
    "a named tuple": "from collections import namedtuple\nBox = namedtuple('Box', 'a b')\nONE = Box(1, 2)\nONE.a",
    "a partial": "import functools\nf = functools.partial(torch.mul, 2)\nf(x)",
    "an own class": "class Scale:\n    def __call__(self, x):\n        return x * 2\nf = Scale()\nf(x)",
    "a table": "def table(n):\n    return {i: i for i in range(n)}\nT = table(3)\nT[2]",
    "an answer by a call": "exercise('stamp')(lambda x: x)\nf = exercise('stamp')(lambda x: x)\nf(x)",
    "Jupyter": "display(x)\nget_ipython().run_line_magic('time', 'x')",
}


@pytest.mark.parametrize("name", MADE)
def test_what_a_call_of_the_notebooks_own_made_is_there(sandbox, name):
    *cell, use = MADE[name].split("\n")
    if name == "Jupyter":
        cell, use = [], f"{cell[0]}; {use}"
    assert grade(sandbox, "\n".join(cell), RIGHT_WITH.format(use), ids=[ID])[ID].state == "right"


def test_what_takes_a_while_is_run_only_where_it_is_read():
    """A name of the answer's own is no reason: a demonstration may use the same."""
    slow = "def slow(n):\n    return n\nout = slow(9)\nrows = [i for i in range(9)]\nfor i in range(9):\n    n = i"
    own = RIGHT_WITH.format("out, rows, n = 1, 2, 3; return out")
    assert len(needed(slow, own)) == 1
    assert len(needed(slow, RIGHT_WITH.format("return out"))) == 3
    assert len(needed(slow, RIGHT_WITH.format("locals(); out = 1"))) == 2


def test_what_needs_a_value_that_a_run_made_is_not_taken():
    cells = ["k = 1", "scale = train()", "def make(a):\n    return a * scale", "k = make(2)"]
    assert len(needed(*cells, RIGHT_WITH.format("k"))) == 1


ROOMS = {
    "labelled-loss": (
        "from coursekit.training import BakeOff, bake_off, cross_entropy, failure_atlas, varied",
        "labelled = mask != unknown\nif not labelled.any():\n    return torch.tensor(0.0)\n"
        "return cross_entropy(scores[:, labelled].T[:, :, None, None], mask[labelled][:, None, None])",
    ),
    "nearest": (
        "from coursekit.nets import SegmentationNet, TwoHeadNet, cost\nfrom coursekit.boxes import iou\n"
        "from coursekit.data import load_scenes\n"
        "from coursekit.training.capstone import STEPS, best_constant_box, mask_iou, shares_of",
        "iou, cost, load_scenes, mask_iou, SegmentationNet\n"
        "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)",
    ),
}


def test_the_note_and_the_sandbox_mean_the_same_rooms():
    folders = {one for one in IN_A_LESSON if (COURSE / one).is_dir() and "/" not in one}
    assert folders == set(surroundings.ROOMS)
    assert {*preloader.ROOMS, "checking"} == folders


def test_what_many_statements_call_is_read_once(monkeypatch):
    """However long it is, and however many values that the grader lacks stand around."""
    seen = []
    monkeypatch.setattr(taking, "read_by", lambda one: seen.append(one) or read_by(one))
    cells = [f"v{number} = train()\nw{number} = made({number})" for number in range(200)]
    assert len(needed("def made(n):\n    return n", *cells, RIGHT_WITH.format("w9"))) == 3
    assert sum(isinstance(one, ast.FunctionDef) for one in seen) == 1


@pytest.mark.parametrize("id", ROOMS)
def test_what_the_lessons_import_is_there(sandbox, id):
    head, body = ROOMS[id]
    assert grade(sandbox, head, function(id, body), ids=[id])[id].state == "right"


@pytest.mark.parametrize(
    "head", ["\n\n%%time\n", "%%capture\n%%time\n", " \n%%capture out\n\n%%timeit -n1 -r1\n"]
)
def test_a_cell_magic_is_found_where_ipython_finds_it(sandbox, head):
    found = read(head + solved(ID))
    assert found.answers[ID].definition.lineno == head.count("\n") + 2
    assert grade(sandbox, head + solved(ID), ids=[ID])[ID].state == "right"
    assert not read("\n%%html\n" + solved(ID)).answers


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


def test_magics_without_end_are_left_out_and_cost_nothing(monkeypatch):
    asked = []
    monkeypatch.setattr(TransformerManager, "transform_cell", lambda self, cell: asked.append(cell) or cell)
    found = read("%x y\n" * 600, "a = %x\n" * 600 + solved("stamp"), f"%x\n{solved(ID)}")
    assert not asked
    assert list(found.answers) == [ID]
    assert "line 1" in found.broken["stamp"]
    assert needed("%x\nSIZE = 2", '@exercise("nearest")\ndef nearest(x, factor):\n    return SIZE')
    assert asked


def test_a_long_chain_of_constants_is_taken_whole():
    chain = "\n".join(f"a{n} = a{n + 1}" for n in range(500)) + "\na500 = 1\nb = 2"
    answer = '@exercise("nearest")\ndef nearest(x, factor):\n    return a0'
    assert needed(chain, answer) == [*chain.splitlines()[:-1], needed(answer)[0]]
    assert len(needed(chain, answer.replace("a0", "globals()"))) == 503


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


def nearest_through(asked):
    """An answer that is right exactly if the other exercise's function is."""
    return (
        f'@exercise("nearest")\ndef nearest(x, factor):\n    nails = {asked}(x, factor)\n'
        "    flat = nails.reshape(x.shape[0], factor, x.shape[1], factor).sum((1, 3))\n"
        "    return flat.repeat_interleave(factor, 0).repeat_interleave(factor, 1)\n"
    )


WRONG_NAILS = function("bed-of-nails", "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)")


@pytest.mark.parametrize(
    "others",
    [[], [solved(OTHER)], [WRONG_NAILS], [find_exercise(OTHER).cell], [f'@exercise("{OTHER}")\ndef (']],
)
@pytest.mark.parametrize("asked", ['mine("bed-of-nails")', "mine(id='bed-of-nails')"])
def test_mine_is_the_learners_own_if_right_else_the_courses(sandbox, others, asked):
    assert grade(sandbox, *others, nearest_through(asked), ids=[ID])[ID].state == "right"


def test_the_last_hint_of_resize_conv_is_right(sandbox):
    """It asks for an exercise of another lesson, so of another file."""
    hint = (
        '@exercise("resize-conv")\ndef resize_conv(x, kernel, factor):\n    down, across = factor\n'
        "    large = x.repeat_interleave(down, 0).repeat_interleave(across, 1)\n    kh, kw = kernel.shape\n"
        "    bordered = torch.zeros(large.shape[0] + kh - 1, large.shape[1] + kw - 1)\n"
        "    bordered[(kh - 1) // 2 :, (kw - 1) // 2 :][: large.shape[0], : large.shape[1]] = large\n"
        '    return mine("strided-conv")(bordered, kernel, 1)\n'
    )
    assert grade(sandbox, hint, ids=["resize-conv"])["resize-conv"].state == "right"


def test_an_answers_own_solution_is_never_there(sandbox):
    itself = f'@exercise("{ID}")\ndef nearest(x, factor):\n    return mine("{ID}")(x, factor)\n'
    assert grade(sandbox, itself, ids=[ID])[ID].state == "error"
    by_another = '@exercise("bed-of-nails")\ndef nails(x, factor):\n    return mine("nearest")(x, factor)\n'
    around = itself.replace('mine("nearest")', 'mine("bed-of-nails")')
    got = grade(sandbox, around, by_another, ids=[ID, "bed-of-nails"])
    assert {one.state for one in got.values()} <= {"partial", "wrong"}


def test_two_answers_that_ask_for_each_other_are_as_in_the_notebook(sandbox):
    """The first one checked there gets the course's, the second the first one's."""
    tail = find_exercise("bed-of-nails").solution.split("\n", 1)[1]
    one = f'@exercise("{ID}")\ndef nearest(x, factor):\n    mine("bed-of-nails")(x, factor)\n{BODY.split(chr(10), 1)[1]}'
    other = f'@exercise("bed-of-nails")\ndef nails(x, factor):\n    mine("{ID}")(x, factor)\n{tail}'
    got = grade(sandbox, one, other, ids=[ID, "bed-of-nails"])
    assert [each.state for each in got.values()] == ["right", "right"]


def test_an_answer_that_another_asks_for_is_graded_once(sandbox, monkeypatch):
    opened = []
    plain = type(sandbox).open
    monkeypatch.setattr(type(sandbox), "open", lambda self: opened.append(1) or plain(self))
    got = grade(sandbox, solved(OTHER), nearest_through(f'mine("{OTHER}")'), ids=[ID, OTHER])
    assert [one.state for one in got.values()] == ["right", "right"]
    assert len(opened) == 2


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


def test_an_answer_to_another_lesson_asks_for_itself_alone():
    stray = '@exercise("box-giou")\ndef giou(a, b): ...'
    lesson = ("strided-conv", "transposed-conv", "output-padding", "stamp")
    own = {"lesson": "05-learnable-upsampling"}
    assert set(exercises_in(notebook(solved("stamp"), stray, coursekit=own))) == {*lesson, "box-giou"}
    assert set(exercises_in(notebook(stray, coursekit=own))) == {*lesson, "box-giou"}
    assert set(exercises_in(notebook(stray, coursekit={"lesson": "of mine"}))) > {"box-giou"}


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
    "too many statements": notebook("a=b\n" * 20_000, solved(ID)),
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
