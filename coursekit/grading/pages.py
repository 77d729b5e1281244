"""What the pages for learners and instructors share: one file each, no script, nothing fetched, printable.

The pages hold what learners wrote. All of it is escaped, and should that ever fail, the page's own policy
lets no script run and nothing be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from coursekit.checking.drawing.card import LOOKS, marked
from coursekit.checking.drawing.style import STYLE
from coursekit.grading.naming import printable

SIGNS = {
    **LOOKS,
    "error": ("!", "Error in the code", "bad"),
    "crashed": ("⚡", "Ended its process", "bad"),
    "missing": ("–", "Not handed in", "calm"),
    "unreadable": ("–", "Could not be read", "bad"),
}
"""A sign, a word and a tone for each state."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_LOOK = """
:root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--paper:#fff;--ground:#f5f6f8;--line:#d0d7de;
--blue:#00688b;--orange:#b33c00;--gold:#8a5a00;--band:#e7ebef}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#a6adb5;--paper:#16181c;--ground:#0e1013;--line:#4a5058;
--blue:#63c5f0;--orange:#ff9257;--gold:#f0c04c;--band:#262a30}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
main,header.top,footer{max-width:940px;margin:0 auto;padding:0 20px}
header.top{padding-top:36px}footer{padding:20px 20px 48px;color:var(--soft);font-size:13.5px}
h1{font-size:clamp(22px,4.5vw,30px);line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:20px;line-height:1.3;margin:40px 0 12px;overflow-wrap:anywhere}
h3{font-size:16.5px;margin:24px 0 6px;overflow-wrap:anywhere}
p{margin:8px 0;max-width:72ch;overflow-wrap:anywhere}
.kicker{margin:0 0 6px;color:var(--soft);font-size:14px}
.soft{color:var(--soft)}.small{font-size:13.5px}
a{color:var(--blue);text-underline-offset:3px}
:focus-visible{outline:2px solid var(--blue);outline-offset:3px;border-radius:4px}
code{font:.9em ui-monospace,Menlo,Consolas,monospace;padding:1px 5px;border-radius:4px;background:var(--band);
overflow-wrap:anywhere}
.total{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 12px;margin:18px 0 8px}
.total strong{font-size:34px;line-height:1.1;font-variant-numeric:tabular-nums}
.bar{display:block;height:8px;border-radius:4px;background:var(--band);overflow:hidden}
.bar i{display:block;height:100%;border-radius:4px;background:var(--blue)}
.notice{margin:16px 0;padding:12px 16px;border:1px solid var(--line);border-left:4px solid var(--gold);border-radius:8px;
background:var(--paper)}
.notice.bad{border-left-color:var(--orange)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--paper)}
table{border-collapse:collapse;width:100%;font-size:15px}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th,td{padding:8px 14px;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:13.5px;white-space:nowrap}
tbody th{font-weight:500}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.good{color:var(--blue)}.bad{color:var(--orange)}.half{color:var(--gold)}.calm{color:var(--soft)}
.state{white-space:nowrap;font-weight:600}
.answer{scroll-margin-top:12px}
.answer h2{margin:36px 0 8px;display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline}
.answer h2 .n{margin-left:auto;font-size:15px;font-weight:400;color:var(--soft)}
.ck-card{max-width:none!important;font-size:15px!important}
details{margin:12px 0 0}summary{cursor:pointer;width:fit-content}
details.hints ol{margin:8px 0 0;padding-left:22px}details.hints li{margin:6px 0;max-width:72ch;overflow-wrap:anywhere}
@media (max-width:480px){main,header.top,footer{padding-left:14px;padding-right:14px}th,td{padding:7px 10px}}
@media print{
:root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--ground:#fff;--line:#bbb;--blue:#00688b;--orange:#b33c00;
--gold:#8a5a00;--band:#eee}
body{font-size:11pt}header.top{padding-top:0}.scroll{overflow:visible}
body .ck-card.ck-card{--ck-ink:#000;--ck-soft:#444;--ck-paper:#fff;--ck-line:#bbb;--ck-good-ink:#00688b;
--ck-bad-ink:#b33c00;--ck-half-ink:#8a5a00;--ck-calm-ink:#444}
.ck-card pre{max-height:none!important}
h2,h3{break-after:avoid}.ck-card,.notice,tr,figure{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


def page(title: str, head: str, body: str, foot: str = "") -> str:
    """A whole page.

    Parameters
    ----------
    title : str
        Plain text.
    head, body, foot : str
        HTML of the page's three parts.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{text(title)}</title><style>{STYLE}</style><style>{_LOOK}</style></head>"
        f'<body><header class="top">{head}</header><main>{body}</main><footer>{foot}</footer></body></html>\n'
    )


def text(value: object) -> str:
    """Escaped text. Half characters, which a learner may print, are written out, as no file can hold them."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode())


def name(value: str) -> str:
    """An escaped name, with nothing in it that would turn or hide text."""
    return text(printable(value))


def prose(value: str) -> str:
    """Escaped text with what stands between backticks set as code."""
    return marked(value.encode("utf-8", "backslashreplace").decode())


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> str:
    """A table of HTML cells; the columns in `numeric` go to the right, the first names its row."""
    right = set(numeric)

    def cell(tag: str, column: int, inner: str, scope: str = "") -> str:
        kind = ' class="n"' if column in right else ""
        return f"<{tag}{scope}{kind}>{inner}</{tag}>"

    heads = "".join(cell("th", i, text(one), ' scope="col"') for i, one in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td" if i else "th", i, one, "" if i else ' scope="row"') for i, one in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    label = text(caption)
    return (
        f'<div class="scroll" role="region" aria-label="{label}" tabindex="0"><table><caption>{label}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def state(of: str) -> str:
    """A state as sign and word."""
    sign, word, tone = SIGNS.get(of, ("?", of, "calm"))
    return f'<span class="state {tone}"><span aria-hidden="true">{sign}</span> {text(word)}</span>'


def bar(share: float, label: str = "") -> str:
    """A share of 1 as a bar; the number stands beside it, so the bar is only seen."""
    width = round(100 * min(1.0, max(0.0, share)), 1)
    return f'<span class="bar" aria-hidden="true"><i style="width:{width}%"></i></span>{label}'


def points(value: float, worth: float) -> str:
    """Points in words."""
    unit = "point" if f"{worth:g}" == "1" else "points"
    return f"{round(value, 2):g} of {worth:g} {unit}"


def without_style(html: str) -> str:
    """A drawn card without the style that the page holds once."""
    return html.replace(f"<style>{STYLE}</style>", "")


def anchor(id: str) -> str:
    """A place in a page, by an exercise's id."""
    return "e-" + re.sub(r"[^A-Za-z0-9-]", "-", id)
