"""Write the whole site into a folder, and never over anything else."""

from __future__ import annotations

from pathlib import Path

from coursekit.checkout import CannotRun
from coursekit.curriculum import LESSONS
from coursekit.site.catalogue import demos
from coursekit.site.demo_pages import demo_page
from coursekit.site.index_page import index_page
from coursekit.site.lesson_pages import lesson_page

MARK = ".every-pixel-site"
_SAYS = "Written by `coursekit site`, which may write this folder's pages anew. One file a line:\n"


def build(folder: Path | str) -> list[Path]:
    """Write every page: an index, the demos, the lessons.

    Parameters
    ----------
    folder : Path or str
        New, empty, or an earlier site; of that, pages that no longer belong to it are removed.

    Returns
    -------
    list of Path
        The pages, the index first.

    Raises
    ------
    CannotRun
        The folder holds something else, or cannot be written. Nothing was changed then.

    Examples
    --------
    >>> files = build("public")  # doctest: +SKIP
    """
    folder = Path(folder).expanduser()
    earlier = _earlier_pages(folder)
    pages = {"index.html": index_page()}
    pages |= {f"{demo.name}.html": demo_page(demo.name) for demo in demos()}
    pages |= {f"{lesson.id}.html": lesson_page(int(lesson.id[:2])) for lesson in LESSONS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(_SAYS + "\n".join([*pages, ""]), encoding="utf-8")
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name in earlier - set(pages):
            (folder / name).unlink(missing_ok=True)
    except OSError as problem:
        raise CannotRun(
            f"{folder} cannot be written: {problem.strerror}. Try a folder of yours."
        ) from problem
    return [folder / name for name in pages]


def _earlier_pages(folder: Path) -> set[str]:
    """The pages of the site that is there; none in a new or empty folder."""
    if folder.exists() and not folder.is_dir():
        raise CannotRun(f"expected a folder, got the file {folder}. Try another name.")
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    mark = folder / MARK
    if not mark.is_file():
        raise CannotRun(
            f"expected a new or empty folder, or a site written here before; {folder} holds something else. "
            "Try another name."
        )
    names = mark.read_text(encoding="utf-8").splitlines()[1:]
    # Whoever edits the mark cannot have files outside the folder removed.
    return {name for name in names if name.endswith(".html") and "/" not in name and "\\" not in name}
