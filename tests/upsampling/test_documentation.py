"""The worked example of every public name runs, and every public name has one."""

import doctest
import inspect
from importlib import import_module

import pytest

import coursekit.upsampling as room

MODULES = ["contributions", "gridmap", "identify", "methods", "naming", "tracing", "validation"]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_hold(name):
    module = import_module(f"coursekit.upsampling.{name}")
    failed, _ = doctest.testmod(module)
    assert failed == 0


@pytest.mark.parametrize("name", [name for name in room.__all__ if inspect.isfunction(getattr(room, name))])
def test_every_function_has_a_worked_example(name):
    text = inspect.getdoc(getattr(room, name))
    assert ">>> " in text
    assert "Returns" in text


def test_no_module_hides_behind_a_public_name():
    for name in room.__all__:
        assert not inspect.ismodule(getattr(room, name)), f"the module {name} would shadow what is exported"
