"""``coursekit data list|download|verify``: what data there is, how to get the rest, whether it is whole."""

from __future__ import annotations

import argparse
import json

from coursekit.listing import as_table

FINE, FOUND_WRONG = 0, 1


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its three actions."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    listing = actions.add_parser("list", help="what data there is, where, how much, under which licence")
    verify = actions.add_parser("verify", help="open every file and say what is damaged or missing")
    for action in (listing, verify):
        action.add_argument("--json", action="store_true", help="print JSON, for other programs")
    download = actions.add_parser("download", help="fetch a data set, going on where an earlier try ended")
    download.add_argument("name", choices=["pets"], help="pets: photographs of cats and dogs, about 800 MB")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked and return the exit code."""
    if arguments.action == "list":
        return _list(arguments.json)
    if arguments.action == "verify":
        return _verify(arguments.json)
    return _download()


def _list(as_json: bool) -> int:
    from coursekit.data.inventory import found

    rows = [{**each._asdict(), "where": str(each.where) if each.where else None} for each in found()]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return FINE
    columns = ("name", "here", "how many", "MB", "where", "licence")
    table = [
        (
            row["name"],
            "yes" if row["present"] else "no",
            ", ".join(f"{count} {what}" for what, count in row["items"].items()),
            f"{row['bytes'] / 1e6:.1f}",
            row["where"],
            row["licence"],
        )
        for row in rows
    ]
    print(as_table(columns, table))
    if not all(row["present"] for row in rows if row["name"] == "pets"):
        print(
            "\nThe photographs: `coursekit data download pets`, or set COURSEKIT_DATA. Lessons run without."
        )
    return FINE


def _verify(as_json: bool) -> int:
    from coursekit.data.inventory import examined

    rows = examined()
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=2, ensure_ascii=False))
    else:
        print(as_table(("name", "state", "checked"), [(row.name, row.state, row.checked) for row in rows]))
        for problem in (problem for row in rows for problem in row.problems):
            print(f"  {problem}")
    return FOUND_WRONG if any(row.state == "wrong" for row in rows) else FINE


def _download() -> int:
    from coursekit.data.obtaining import download_pets

    folder = download_pets()
    print(f"The photographs are in {folder}. `coursekit data verify` opens every one.")
    return FINE
