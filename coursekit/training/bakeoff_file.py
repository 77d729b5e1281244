"""Tables of a bake-off kept as JSON, so that a lesson can show what takes an hour to measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from coursekit.checkout import course_root
from coursekit.training.standings import BakeOff, Row, Run
from coursekit.upsampling.validation import sentence

VERSION = 1
MEASURE = "python benchmarks/segmentation_quality.py --write"


def stored_tables() -> Path:
    """Where the measured tables lie."""
    return course_root() / "data" / "bakeoff.json"


def write(tables: Mapping[str, BakeOff], path: Any = None) -> Path:
    """Keep tables under their names; what the file holds under other names stays."""
    file = Path(path) if path is not None else stored_tables()
    kept = _tables_in(file) if file.exists() else {}
    kept |= {
        name: {
            "terms": table.terms,
            "baseline": table.baseline,
            "facts": table.facts,
            "rows": [_kept_of(row) for row in table.rows],
        }
        for name, table in tables.items()
    }
    text = json.dumps({"version": VERSION, "tables": _rounded(kept)}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def read(name: str, path: Any = None) -> BakeOff:
    """A table by its name.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError
        With what was expected, what came and what to try.
    """
    file = Path(path) if path is not None else stored_tables()
    if not file.exists():
        raise FileNotFoundError(sentence("the measured tables data/bakeoff.json", "no such file", MEASURE))
    tables = _tables_in(file)
    if name not in tables:
        raise KeyError(sentence(f"a table among {', '.join(tables)}", repr(name), MEASURE))
    told = tables[name]
    rows = tuple(
        Row(row["method"], row["parameters"], tuple(Run(**run) for run in row["runs"]))
        for row in told["rows"]
    )
    return BakeOff(rows, told["terms"], told["baseline"], dict(told["facts"]))


def _tables_in(file: Path) -> dict[str, Any]:
    expected = f"tables of version {VERSION} in {file.name}"
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(
            sentence(expected, f"no JSON: {problem}", f"git checkout data/{file.name}")
        ) from None
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise ValueError(sentence(expected, "another version", MEASURE))
    return dict(told["tables"])


def _kept_of(row: Row) -> dict[str, Any]:
    names = [each.name for each in fields(Run) if each.name != "scores"]
    runs = [{name: getattr(run, name) for name in names} for run in row.runs]
    return {"method": row.method, "parameters": row.parameters, "runs": runs}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
