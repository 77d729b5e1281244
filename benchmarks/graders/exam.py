"""The three exercises' tests as an instructor writes them for a grader that runs them beside the answers.

One test for each property, worth the property's share of the points; the same sizes as the course's own
check, random values, and torch's own function says what is right.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from coursekit.checking import Property, bench_of
from coursekit.exercises import find_exercise

SEED = 5
FUNCTIONS = {"nearest": "nearest", "max-pool": "max_pool", "transposed-conv": "transposed_conv"}
BODIES = {
    "nearest": """
for (h, w), factor in CASES:
    x = torch.randn(h, w)
    want = F.interpolate(x[None, None], scale_factor=factor, mode="nearest")[0, 0]
    got = torch.as_tensor(nearest(x, factor))
    assert got.shape == want.shape
    assert torch.allclose(got, want)
""",
    "max-pool": """
for (h, w), size in CASES:
    x = torch.randn(h, w)SHIFT
    want = F.max_pool2d(x[None, None], size)[0, 0]
    got = torch.as_tensor(max_pool(x, size))
    assert got.shape == want.shape
    assert torch.allclose(got, want)
""",
    "transposed-conv": """
for (h, w), (kh, kw), stride in CASES:
    x, kernel = torch.randn(h, w), torch.randn(kh, kw)
    want = F.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    got = torch.as_tensor(transposed_conv(x, kernel, stride))
    assert got.shape == want.shape
    assert torch.allclose(got, want, atol=1e-5)
""",
}


def points(id: str, item: Property) -> float:
    """What a property is worth."""
    exercise = find_exercise(id)
    return exercise.points * item.weight / sum(one.weight for one in exercise.properties)


def tests(id: str) -> list[tuple[str, float, str]]:
    """Name, points and text of each test of an exercise."""
    made = []
    for item in find_exercise(id).properties:
        shift = " - 10.0" if item.id == "negative" else ""
        body = BODIES[id].replace("CASES", repr(_cases(id, item))).replace("SHIFT", shift)
        made.append((f"{id}-{item.id}", points(id, item), body.strip()))
    return made


def _cases(id: str, item: Property) -> list[tuple[Any, ...]]:
    trials = bench_of(find_exercise(id), SEED).trials
    chosen = [trial.case for trial in trials if trial.property is item]
    return [tuple(_size(value) for value in case.values()) for case in chosen]


def _size(value: Any) -> Any:
    return tuple(value.shape) if hasattr(value, "shape") else value


IMPORTS = "import torch\nimport torch.nn.functional as F\ntorch.manual_seed(11)\n"


def test_cells(id: str, released: bool) -> list[dict[str, Any]]:
    """nbgrader's: locked cells that are graded."""
    return [_cell(IMPORTS + text, name, worth, released) for name, worth, text in tests(id)]


def _cell(source: str, name: str, worth: float, released: bool) -> dict[str, Any]:
    told = {
        "schema_version": 3, "grade": True, "grade_id": name, "locked": True, "points": worth,
        "solution": False, "task": False, "cell_type": "code",
    }  # fmt: skip
    made = {"cell_type": "code", "id": name, "metadata": {"nbgrader": told}, "source": source}
    return {**made, "outputs": [], "execution_count": None}


def with_tests(content: bytes) -> bytes:
    """A submission with nbgrader's test cells where they were released: after each exercise's own cell."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
        cells = data["cells"]
        assert isinstance(cells, list)
        assert data["nbformat"] == 4
    except Exception:  # what cannot be read is handed in as it is
        return content
    if not cells:
        return content
    made = []
    waiting = list(FUNCTIONS)
    for cell in cells:
        made.append(cell)
        for id in [one for one in waiting if _answers(cell, one)]:
            waiting.remove(id)
            made += test_cells(id, False)
    data["cells"] = made + [cell for id in waiting for cell in test_cells(id, False)]
    return json.dumps(data).encode()


def _answers(cell: Any, id: str) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return False
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return f'("{id}")' in text or f'(id="{id}")' in text


def otter_file(id: str) -> str:
    """otter's: a test file that asserts."""
    lines = [
        "OK_FORMAT = False",
        "",
        "from otter.test_files import test_case",
        "",
        f'name = "{id}"',
        "points = None",
    ]
    for name, worth, text in tests(id):
        function = FUNCTIONS[id]
        body = textwrap.indent(f"{IMPORTS}{function} = env[{function!r}]\n{text}", "    ")
        lines += [
            "",
            f"@test_case(name={name!r}, points={worth!r}, hidden=False)",
            f"def test_{len(lines)}(env):",
            body,
        ]
    return "\n".join(lines) + "\n"
