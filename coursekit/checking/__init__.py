"""The engine that checks a learner's function: declared once, tried on cases, shrunk, named, drawn.

It knows no lesson. `check` is the whole path; `make_cases`, `observe`, `judge` are its parts, for a judge
that must not share a process with the learner's code.
"""

from coursekit.checking.bench import bench_of
from coursekit.checking.cases import Case, Trial, case_from
from coursekit.checking.comparing import compare, judge_case
from coursekit.checking.declaration import Exercise, ExerciseError, Misconception, Property
from coursekit.checking.drawing import Picture, draw_case, draw_example
from coursekit.checking.judging import check, judge, judge_answer, observe_all
from coursekit.checking.outcomes import Outcome, Place, Raised
from coursekit.checking.parameters import Number, Numbers, Pair, Parameter, Sizes, Tensor
from coursekit.checking.planning import make_cases
from coursekit.checking.running import observe
from coursekit.checking.timing import TimeLimit
from coursekit.checking.validation import function_from
from coursekit.checking.values import Comparison
from coursekit.checking.verdict import STATES, Counterexample, PropertyResult, Verdict

__all__ = [
    "STATES",
    "Case",
    "Comparison",
    "Counterexample",
    "Exercise",
    "ExerciseError",
    "Misconception",
    "Number",
    "Numbers",
    "Outcome",
    "Pair",
    "Parameter",
    "Picture",
    "Place",
    "Property",
    "PropertyResult",
    "Raised",
    "Sizes",
    "Tensor",
    "TimeLimit",
    "Trial",
    "Verdict",
    "bench_of",
    "case_from",
    "check",
    "compare",
    "draw_case",
    "draw_example",
    "function_from",
    "judge",
    "judge_answer",
    "judge_case",
    "make_cases",
    "observe",
    "observe_all",
]
