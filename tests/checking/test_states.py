"""Every state a check can end in, and the sentence that goes with each mistake in the answer's form."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from checking_demo import CONV, RIGHT, STAMPS, checked, convolution, written

from coursekit.checking import Exercise, Property, Tensor, check

GENERAL = """
def stamps(x, kernel, stride):
    h, w = x.shape
    kh, kw = kernel.shape
    out = torch.zeros((h - 1) * stride + kh, (w - 1) * stride + kw)
    for i in range(h):
        for j in range(w):
            BODY
    return RESULT
"""
ADD = "out[i * stride : i * stride + kh, j * stride : j * stride + kw] += x[i, j] * kernel"


def variant(body=ADD, result="out"):
    return GENERAL.replace("BODY", body).replace("RESULT", result)


def test_a_right_answer_is_right_and_complete():
    verdict = checked(RIGHT)
    assert verdict.state == "right"
    assert verdict.passed
    assert (verdict.fraction, verdict.points) == (1.0, 4.0)
    assert verdict.counterexample is None
    assert verdict.diagnosis is None
    assert verdict.notes == ()


def test_partial_credit_is_the_weight_of_what_holds():
    verdict = checked(variant(ADD.replace("+=", "=")))
    assert verdict.state == "partial"
    assert verdict.diagnosis.id == "overwrite"
    assert [item.passed for item in verdict.properties] == [True, True, False]
    assert verdict.fraction == pytest.approx(2 / 4)
    assert verdict.points == pytest.approx(2)


def test_nothing_right_is_wrong():
    verdict = checked(variant(result="out + 1"))
    assert verdict.state == "wrong"
    assert verdict.fraction == 0
    assert verdict.counterexample.guilty.all()


@pytest.mark.parametrize(
    "body",
    [
        "...",
        "pass",
        "raise NotImplementedError",
        "raise NotImplementedError('later')",
        '"""My words."""\n    ...',
        "helper = 1\n    raise NotImplementedError",
        "h, w = x.shape\n    ...",
    ],
)
def test_an_untouched_or_unfinished_starter_is_not_attempted(body):
    verdict = checked(f"def stamps(x, kernel, stride):\n    {body}\n")
    assert verdict.state == "not_attempted"
    assert verdict.fraction == 0
    assert verdict.counterexample is None


def test_the_starter_itself_is_not_attempted_even_when_it_would_run():
    starter = "def conv(x, kernel, stride):\n    out = x * 0\n    ...\n    return out\n"
    exercise = convolution(starter=starter)
    assert checked(starter.replace("    ...", "    # mine\n    ..."), exercise).state == "not_attempted"
    assert checked(starter.replace("x * 0", "x * 1"), exercise).state == "wrong"


def test_an_unfinished_function_without_kept_source_is_not_attempted():
    scope: dict = {}
    exec("def stamps(x, kernel, stride): ...", scope)
    assert check(STAMPS, scope["stamps"]).state == "not_attempted"


def test_an_error_quotes_the_learners_own_line_and_nothing_of_the_engine():
    verdict = checked(
        """
        @functools.wraps(print)
        def unused(): ...

        def stamps(x, kernel, stride):
            out = torch.zeros(2, 2)
            for i in range(9):
                out[i] = x[i + 5, 0]
            return out
        """.replace("@functools.wraps(print)", "# a comment above")
    )
    assert verdict.state == "error"
    assert "Line 4 of `stamps`: `out[i] = x[i + 5, 0]`" in verdict.message
    assert "IndexError" in verdict.message
    assert "i = 0" in verdict.message
    assert "coursekit" not in verdict.message


def test_decorators_do_not_shift_the_line():
    function = written(
        """
        @decorate
        @decorate
        def stamps(x, kernel, stride):
            return x.nonsense
        """,
        decorate=lambda function: function,
    )
    assert "Line 2 of `stamps`: `return x.nonsense`" in check(STAMPS, function).message


def test_an_error_in_a_helper_names_the_helper():
    verdict = checked("""
        def half(x):
            return x[0] / 0 .real if False else 1 / 0

        def stamps(x, kernel, stride):
            return half(x)
        """)
    assert "Line 2 of `half`" in verdict.message
    assert "ZeroDivisionError" in verdict.message


def test_an_error_in_one_property_costs_only_that_property():
    verdict = checked(
        variant(f"assert min(kh, kw, 3 - stride) < 2 or h * w == 1, 'too big'\n            {ADD}")
    )
    assert verdict.state == "partial"
    assert [item.passed for item in verdict.properties] == [True, True, False]
    assert "too big" in verdict.message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("return stamps(x, kernel, stride)", "again and again"),
        ("raise SystemExit", "SystemExit"),
        ("exit_now()", "SystemExit"),
        ("raise MemoryError", "MemoryError"),
        ("raise Odd", "Odd"),
        ("return torch.zeros(10**15)", "RuntimeError"),
    ],
)
def test_every_exception_becomes_a_sentence(line, told):
    odd = type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})
    function = written(
        f"def stamps(x, kernel, stride):\n    {line}\n",
        Odd=odd,
        exit_now=lambda: (_ for _ in ()).throw(SystemExit),
    )
    verdict = check(STAMPS, function)
    assert verdict.state == "error"
    assert told in verdict.message


def test_ctrl_c_passes_through():
    with pytest.raises(KeyboardInterrupt):
        checked("def stamps(x, kernel, stride):\n    raise KeyboardInterrupt\n")


BAD_RETURNS = [
    ("None", "wrong", ["Expected a tensor of shape", "None", "return out"]),
    ("out.tolist()", "wrong", ["list", "torch.tensor"]),
    ("(out,)", "wrong", ["tuple", "comma"]),
    ("'text'", "wrong", ["text"]),
    ("3.5", "wrong", ["3.5"]),
    ("out[:, :-1]", "wrong", ["shape", "yours is"]),
    ("out[None]", "wrong", ["length 1", "squeeze"]),
    ("out[:0]", "wrong", ["empty"]),
    ("out.to(torch.int64)", "wrong", ["dtype float32", "int64", "torch.float32"]),
    ("out.to(torch.bool)", "wrong", ["should be"]),
    ("out.to(torch.complex64)", "wrong", ["complex64"]),
    ("out / 0 * 0", "wrong", ["NaN"]),
    ("out.to('meta')", "wrong", ["without readable values"]),
    ("torch.nn.Linear(1, 1)", "wrong", ["a Linear, not its result"]),
    ("stamps", "wrong", ["a function, not its result"]),
    ("torch.Tensor", "wrong", ["class"]),
    ("(row for row in out)", "wrong", ["generator"]),
    ("Everything()", "wrong", ["Everything"]),
    ("np.array(['a'])", "wrong", ["NumPy"]),
]


@pytest.mark.parametrize(("result", "state", "told"), BAD_RETURNS)
def test_a_bad_return_is_a_sentence(result, state, told):
    everything = type("Everything", (), {"__eq__": lambda self, other: True, "__hash__": None})
    function = written(variant(result=result), np=np, Everything=everything)
    verdict = check(STAMPS, function)
    assert verdict.state in (state, "partial")
    for part in told:
        assert part in verdict.message
    assert "Traceback" not in verdict.message


@pytest.mark.parametrize(
    ("result", "note"),
    [
        ("out.double()", "float64"),
        ("out.half()", "float16"),
        ("out.numpy()", "NumPy"),
        ("torch.nn.Parameter(out)", None),
        ("out.requires_grad_()", None),
        ("out.to_sparse()", None),
    ],
)
def test_harmless_variations_are_accepted_with_a_note(result, note):
    verdict = checked(variant(result=result))
    assert verdict.state == "right"
    assert verdict.notes == () if note is None else note in " ".join(verdict.notes)


def test_a_tensor_subclass_cannot_claim_to_be_equal():
    class Yes(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return True

    verdict = check(STAMPS, written(variant(result="(out * 0).as_subclass(Yes)"), Yes=Yes))
    assert verdict.state == "wrong"


def answer(x, kernel, stride):
    return x


async def asynchronous(x, kernel, stride):
    return x


def generator(x, kernel, stride):
    yield x


class Answer:
    def __init__(self, x, kernel, stride): ...


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        (lambda x, kernel: x, "takes `(x, kernel)`"),
        (lambda x, kernel, stride, padding: x, "padding"),
        (Answer, "class"),
        (asynchronous, "async"),
        (generator, "yield"),
        (None, "None"),
        (3, "3"),
        (torch.nn.Identity(), "Identity"),
        (functools.partial(answer, 1), "partial"),
        (torch.conv2d, "ready-made"),
    ],
)
def test_what_is_no_fitting_function_is_refused_with_a_sentence(thing, told):
    verdict = check(STAMPS, thing)
    assert verdict.state == "error"
    assert verdict.fraction == 0
    assert "Expected a function `stamps(x, kernel, stride)`" in verdict.message
    assert told in verdict.message
    assert (
        "Try writing `def stamps" in verdict.message
        or "Try leaving" in verdict.message
        or "Try collecting" in verdict.message
    )


@pytest.mark.parametrize("change", ["x += 1", "kernel[0, 0] = 0.5", "x.zero_()", "x.resize_(1)"])
def test_changing_an_argument_fails_with_the_advice_to_clone(change):
    result = f"(out, {change.split('=')[0].split('.')[0].split('[')[0].strip(' +')})[0]"
    source = variant(result=result).replace("    return", f"    {change}\n    return")
    verdict = checked(source)
    assert not verdict.passed
    assert ".clone()" in verdict.message
    assert "stay as it was" in verdict.message
    assert verdict.counterexample.label.endswith("before")


def test_a_function_that_remembers_is_told_so():
    source = RIGHT.replace("    return out", "    memory.append(1)\n    return out + len(memory)")
    verdict = check(STAMPS, written(source, memory=[]))
    assert any("different answers" in note for note in verdict.notes)


def test_a_wrong_name_is_noted_because_later_lessons_look_for_it():
    function = written(RIGHT.replace("def stamps", "def stampz"), "stampz")
    verdict = check(STAMPS, function)
    assert verdict.state == "right"
    assert any("`stampz`" in note for note in verdict.notes)


def test_a_property_may_judge_by_its_own_rule():
    exercise = Exercise(
        id="shuffle",
        lesson="x",
        title="Shuffle",
        function="shuffle",
        points=1,
        starter="def shuffle(x):\n    ...\n",
        reference=lambda x: x.flip(0),
        parameters=(Tensor("x", "N"),),
        sizes={"N": (2, 5)},
        properties=(
            Property(
                "same",
                "the same values come out",
                holds=lambda case, out: sorted(out.tolist()) == sorted(case["x"].tolist()),
            ),
            Property("reversed", "in reverse order"),
        ),
    )
    assert checked("def shuffle(x):\n    return x.flip(0)\n", exercise).state == "right"
    rolled = checked("def shuffle(x):\n    return x.roll(1)\n", exercise)
    assert [item.passed for item in rolled.properties] == [True, False]
    assert checked("def shuffle(x):\n    return x * 2\n", exercise).state == "wrong"
    assert "tensor" in checked("def shuffle(x):\n    return None\n", exercise).message


def test_a_reference_may_demand_an_exception():
    def head(x):
        if len(x) < 2:
            raise ValueError("too short")
        return x[:2]

    exercise = Exercise(
        id="head",
        lesson="x",
        title="Head",
        function="head",
        points=1,
        starter="def head(x):\n    ...\n",
        reference=head,
        parameters=(Tensor("x", "N"),),
        properties=(Property("all", "two values or an error"),),
    )
    raising = "def head(x):\n    if len(x) < 2:\n        raise ValueError\n    return x[:2]\n"
    assert checked(raising, exercise).state == "right"
    assert "raise ValueError" in checked("def head(x):\n    return x[:2]\n", exercise).message


def test_a_valid_condition_holds_for_every_case_and_counterexample():
    for seed in range(5):
        verdict = checked("def conv(x, kernel, stride):\n    return x * 1.5\n", CONV, seed=seed)
        case = verdict.counterexample.case
        assert case["kernel"].shape[0] <= case["x"].shape[0]
        assert case["kernel"].shape[1] <= case["x"].shape[1]
