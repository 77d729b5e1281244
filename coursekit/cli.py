"""The ``coursekit`` command: reads the arguments, calls one function, turns what happened into an exit code.

Exit codes: 0 is fine, 1 is "found something wrong", 2 is "could not run".
Nothing heavy is imported here: each command imports what it needs when it is called.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from coursekit import __version__
from coursekit.checkout import CannotRun

FINE, FOUND_WRONG, COULD_NOT_RUN = 0, 1, 2

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the command's name; the process's own when left out.

    Returns
    -------
    int
        0 fine, 1 found something wrong, 2 could not run.

    Examples
    --------
    >>> main(["lessons", "--json"])  # doctest: +SKIP
    0
    """
    _print_whatever_the_terminal_can()
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not hasattr(arguments, "run"):
        parser.print_help()
        return FINE
    try:
        return arguments.run(arguments)
    except CannotRun as problem:
        return _say_why(arguments.command, str(problem))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return FINE
    except BrokenPipeError:  # `coursekit lessons | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except Exception as problem:
        if os.environ.get("COURSEKIT_DEBUG"):
            raise
        reason = f"something unforeseen happened: {type(problem).__name__}: {problem}"
        return _say_why(arguments.command, f"{reason}\nCOURSEKIT_DEBUG=1 shows where.")


def _say_why(command: str, reason: str) -> int:
    print(f"coursekit {command}: {reason}", file=sys.stderr)
    return COULD_NOT_RUN


def _print_whatever_the_terminal_can() -> None:
    """A terminal with an old encoding shows ? for ✓ instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


class _SentenceParser(argparse.ArgumentParser):
    """argparse, but an error is a sentence with something to try."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and leave with exit code 2."""
        unknown = re.search(r"argument COMMAND: invalid choice: '(.*?)'", message)
        sentence = _no_such_command(unknown[1]) if unknown else f"{message}."
        self.exit(COULD_NOT_RUN, f"{self.prog}: {sentence}\nTry: {self.prog} --help\n")


def _no_such_command(name: str) -> str:
    close = get_close_matches(name, COMMANDS, n=1)
    meant = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(COMMANDS)}."
    return f"there is no command {name!r}. {meant}"


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}; try 8866")


def _parser() -> argparse.ArgumentParser:
    parser = _SentenceParser(
        prog="coursekit",
        description="A course on nets that label every pixel: open it, try it, ask what works here.",
        epilog="Exit codes: 0 fine, 1 found something wrong, 2 could not run.",
    )
    parser.add_argument("--version", action="version", version=f"coursekit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (run, summary, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        add_options(command)
        command.set_defaults(run=run)
    return parser


def _lab_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--port", type=_port, help="the port to serve on (default: 8888, or the next free one)"
    )
    command.add_argument("--no-browser", action="store_true", help="print the address and open no browser")


def _app_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--port", type=_port, default=8866, help="the port to serve on (default: %(default)s)"
    )
    command.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    command.add_argument("--ip", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    command.add_argument("--token", default=None, help="let in only who has it; also COURSEKIT_TOKEN")
    command.add_argument(
        "--max-kernels", type=_count, help="how many visitors may have Python at once (default: by memory)"
    )
    command.add_argument(
        "--host", action="append", default=[], help="a name under which visitors come; may be given again"
    )
    command.add_argument("--lazy", action="store_true", help="run a lesson first when somebody asks for it")
    command.add_argument("--base", default="/", help="the path below which a proxy shows the app")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}; try 8")


def _json_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")


def _lab(arguments: argparse.Namespace) -> int:
    from coursekit.launcher import open_lab

    return open_lab(port=arguments.port, browser=not arguments.no_browser)


def _app(arguments: argparse.Namespace) -> int:
    from coursekit.app.server import serve

    return serve(
        arguments.port,
        not arguments.no_browser,
        ip=arguments.ip,
        token=arguments.token or os.environ.get("COURSEKIT_TOKEN", ""),
        max_kernels=arguments.max_kernels,
        base=arguments.base,
        hosts=tuple(arguments.host),
        prepare=not arguments.lazy,
    )


def _exercises(arguments: argparse.Namespace) -> int:
    from coursekit.listing import list_exercises

    return list_exercises(as_json=arguments.json)


def _lessons(arguments: argparse.Namespace) -> int:
    from coursekit.listing import list_lessons

    return list_lessons(as_json=arguments.json, measure=arguments.measure)


def _lessons_options(command: argparse.ArgumentParser) -> None:
    _json_option(command)
    command.add_argument(
        "--measure",
        action="store_true",
        help="also run each lesson, unsolved and solved, and give the seconds",
    )


def _progress_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_progress import add_options

    add_options(command)


def _progress(arguments: argparse.Namespace) -> int:
    from coursekit.cli_progress import run

    return run(arguments)


def _data_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_data import add_options

    add_options(command)


def _data(arguments: argparse.Namespace) -> int:
    from coursekit.cli_data import run

    return run(arguments)


def _doctor(arguments: argparse.Namespace) -> int:
    from coursekit.doctor import examine

    return examine(as_json=arguments.json)


def _check_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_check import add_options

    add_options(command)


def _check(arguments: argparse.Namespace) -> int:
    from coursekit.cli_check import run

    return run(arguments)


def _capstone_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_capstone import add_options

    add_options(command)


def _capstone(arguments: argparse.Namespace) -> int:
    from coursekit.cli_capstone import run

    return run(arguments)


def _train_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_train import add_options

    add_options(command)


def _train(arguments: argparse.Namespace) -> int:
    from coursekit.cli_train import run

    return run(arguments)


def _grade_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_grade import add_options

    add_options(command)


def _grade(arguments: argparse.Namespace) -> int:
    from coursekit.cli_grade import run

    return run(arguments)


def _gradebook_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_gradebook import add_options

    add_options(command)


def _gradebook(arguments: argparse.Namespace) -> int:
    from coursekit.cli_gradebook import run

    return run(arguments)


def _plan_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_gradebook import add_plan_options

    add_plan_options(command)


def _plan(arguments: argparse.Namespace) -> int:
    from coursekit.cli_gradebook import run_plan

    return run_plan(arguments)


def _export_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_export import add_options

    add_options(command)


def _export(arguments: argparse.Namespace) -> int:
    from coursekit.cli_export import run

    return run(arguments)


def _site_options(command: argparse.ArgumentParser) -> None:
    from coursekit.cli_site import add_options

    add_options(command)


def _site(arguments: argparse.Namespace) -> int:
    from coursekit.cli_site import run

    return run(arguments)


COMMANDS: dict[str, tuple[Command, str, Callable[[argparse.ArgumentParser], None]]] = {
    "lab": (_lab, "open the lessons in JupyterLab", _lab_options),
    "app": (_app, "serve the lessons as web pages with Voila", _app_options),
    "site": (_site, "write the demos and the lessons as static pages", _site_options),
    "lessons": (_lessons, "list the lessons with their measures", _lessons_options),
    "exercises": (_exercises, "list every exercise with its points", _json_option),
    "check": (_check, "check the answers in a notebook, outside Jupyter", _check_options),
    "capstone": (_capstone, "grade capstones on images that were held out", _capstone_options),
    "progress": (_progress, "show what you did so far; export it, or forget it", _progress_options),
    "train": (_train, "train a net for so many seconds and score it on data it has not seen", _train_options),
    "grade": (_grade, "grade a class's notebooks into a gradebook, safely", _grade_options),
    "gradebook": (_gradebook, "show a gradebook, or give a score by hand", _gradebook_options),
    "lesson-plan": (_plan, "plan the next lecture from a class's mistakes", _plan_options),
    "export": (_export, "write the course for nbgrader", _export_options),
    "data": (_data, "list, download or verify the scenes and photographs", _data_options),
    "doctor": (_doctor, "say what works on this machine and what to do about the rest", _json_option),
}
