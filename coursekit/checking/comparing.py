"""Whether an outcome is the expected one; if not, in what way, and a sentence that says so.

No learner code runs here: both sides are plain data.
"""

from __future__ import annotations

from coursekit.checking.cases import Case
from coursekit.checking.declaration import Property
from coursekit.checking.outcomes import Outcome, Raised
from coursekit.checking.plain import Strange, described
from coursekit.checking.values import FINE, Comparison, compare_values


def compare(expected: Outcome, got: Outcome) -> Comparison:
    """Compare what came with what the reference gave; expected, got and try are in the sentence."""
    if got.timed_out:
        return Comparison(False, "timeout", "Your function did not finish.")
    if got.raised or expected.raised:
        return _compare_raised(expected, got)
    verdict = compare_values(expected.value, got.value)
    if got.changed is None or not verdict.holds:
        return verdict
    name = got.changed[0]
    return Comparison(
        False,
        f"changed {name}",
        f"Expected `{name}` to stay as it was; your function changed it. "
        f"Try working on a copy: `{name} = {name}.clone()`.",
    )


def same_result(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are alike, as a mutant's and a learner's must be for the mutant to explain it."""
    if one.timed_out or other.timed_out:
        return False
    if one.raised or other.raised:
        return one.raised is not None and other.raised is not None and one.raised.kind == other.raised.kind
    changed = (one.changed and one.changed[0]) == (other.changed and other.changed[0])
    return changed and compare_values(one.value, other.value).kind in ("", "dtype")


def judge_case(item: Property, case: Case, expected: Outcome, got: Outcome) -> Comparison:
    """Compare by the property's own `holds` where it has one, else with the reference's outcome."""
    comparison = compare(expected, got)
    if item.holds is None or got.raised or got.timed_out or isinstance(got.value, Strange):
        return comparison
    try:
        holds = bool(item.holds(case, got.value))
    except Exception:  # a `holds` written for tensors meets whatever the learner returned
        holds = False
    if holds:
        return FINE if got.changed is None else compare(got, got)
    if not comparison.holds and comparison.kind.startswith(("type", "shape", "length")):
        return comparison
    guilty = compare_values(expected.value, got.value).guilty
    return Comparison(False, "property", f"This does not hold here: {item.says}.", guilty)


def _compare_raised(expected: Outcome, got: Outcome) -> Comparison:
    if got.raised is None:
        assert expected.raised is not None
        wanted = expected.raised.kind
        return Comparison(
            False,
            "not raised",
            f"Expected a {wanted} for this input; your function returned {described(got.value)}. "
            f"Try `raise {wanted}(...)` when the input is impossible.",
        )
    if expected.raised is not None and expected.raised.kind in got.raised.kinds:
        return FINE
    return Comparison(False, f"raised {got.raised.kind}", told(got.raised))


def told(raised: Raised) -> str:
    """An exception as one or two sentences that begin with the learner's own line."""
    message = raised.message.strip().split("\n")[0][:300]
    what = f"{raised.kind}: {message}" if message else raised.kind
    if raised.place is None:
        return f"Your function stopped with {what}."
    values = ", ".join(f"{name} = {value}" for name, value in raised.place.values)
    there = f" There, {values}." if values else ""
    return f"{raised.place} → {what}{'' if what.endswith('.') else '.'}{there}"
