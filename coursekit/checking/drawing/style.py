"""The style of a card: Jupyter's theme where there is one, the reader's own preference elsewhere.

Colours are of the Okabe-Ito kind, told apart by colour-blind eyes; signs, words and outlines say it too.
"""

_LIGHT = (
    "--ck-ink:var(--jp-content-font-color1,#1f2328);--ck-soft:var(--jp-content-font-color2,#57606a);"
    "--ck-paper:var(--jp-layout-color1,#fff);--ck-line:var(--jp-border-color2,#d0d7de);"
    "--ck-good-ink:#00688b;--ck-bad-ink:#b33c00;--ck-half-ink:#8a5a00;--ck-calm-ink:#57606a;"
)
_DARK = (
    "--ck-ink:var(--jp-content-font-color1,#e6e6e6);--ck-soft:var(--jp-content-font-color2,#a6adb5);"
    "--ck-paper:var(--jp-layout-color1,#16181c);--ck-line:var(--jp-border-color2,#4a5058);"
    "--ck-good-ink:#63c5f0;--ck-bad-ink:#ff9257;--ck-half-ink:#f0c04c;--ck-calm-ink:#a6adb5;"
)

_RULES = """
.ck-card{%(light)s--ck-tone:var(--ck-calm-ink);box-sizing:border-box;max-width:860px;margin:6px 0;
padding:14px 16px 14px 18px;color:var(--ck-ink);background:var(--ck-paper);border:1px solid var(--ck-line);
border-left:4px solid var(--ck-tone);border-radius:8px;
font:14px/1.5 var(--jp-content-font-family,system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif)}
.ck-card *{box-sizing:border-box}

.ck-good{--ck-tone:var(--ck-good-ink)}.ck-bad{--ck-tone:var(--ck-bad-ink)}.ck-half{--ck-tone:var(--ck-half-ink)}
[data-jp-theme-light="false"] .ck-card{%(dark)s}
@media (prefers-color-scheme:dark){body:not([data-jp-theme-light]) .ck-card{%(dark)s}}
.ck-card .ck-head{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 8px}
.ck-card .ck-sign{color:var(--ck-tone);font-weight:700;font-size:16px}
.ck-card .ck-word{color:var(--ck-tone);font-weight:650;font-size:16px}
.ck-card .ck-title{color:var(--ck-soft)}
.ck-card .ck-points{margin-left:auto;color:var(--ck-soft);font-variant-numeric:tabular-nums;
white-space:nowrap}
.ck-card .ck-message{margin:8px 0 0;max-width:74ch;overflow-wrap:anywhere}
.ck-card .ck-message strong{font-weight:650}
.ck-card code{font:0.92em var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);padding:1px 4px;
border-radius:4px;color:inherit;background:color-mix(in srgb,var(--ck-ink) 8%%,transparent)}
.ck-card .ck-figure{display:flex;flex-direction:column;gap:12px;margin:14px 0 0}
.ck-card .ck-row{display:flex;flex-wrap:wrap;align-items:flex-start;gap:12px 28px}
.ck-card .ck-panel{margin:0;min-width:0;max-width:100%%}
.ck-card figcaption{margin:0 0 4px;font-size:13px;line-height:1.4;color:var(--ck-soft);text-align:left}
.ck-card .ck-label{color:var(--ck-ink);font-weight:600}
.ck-card .ck-yours .ck-label{color:var(--ck-tone)}
.ck-card .ck-size,.ck-card .ck-more,.ck-card .ck-small,.ck-card .ck-plane-label{color:var(--ck-soft);
font-size:12px}
.ck-card .ck-size{font-variant-numeric:tabular-nums;margin-left:4px}
.ck-card .ck-planes{display:flex;flex-wrap:wrap;align-items:flex-end;gap:8px 12px}
.ck-card .ck-plane{display:flex;flex-direction:column;align-items:center;gap:2px;min-width:0}
.ck-card svg{display:block;max-width:100%%;height:auto;overflow:visible}
.ck-card .ck-cell{fill:color-mix(in srgb,var(--ck-ink) 3%%,var(--ck-paper));stroke:var(--ck-line);
stroke-width:1}
.ck-card .ck-gap{fill:none;stroke:none}
.ck-card .ck-number{fill:var(--ck-ink);font-size:14px;text-anchor:middle;font-variant-numeric:tabular-nums}
.ck-card .ck-guilty-number{font-weight:700}
.ck-card .ck-index{fill:var(--ck-soft);font-size:10px;text-anchor:middle}
.ck-card .ck-guilty{fill:color-mix(in srgb,var(--ck-bad-ink) 14%%,transparent);stroke:var(--ck-bad-ink);
stroke-width:2.5}
.ck-card .ck-guilty-cross{fill:none;stroke:var(--ck-bad-ink);stroke-width:1.8;stroke-linecap:round}
.ck-card .ck-wanted{fill:none;stroke:var(--ck-good-ink);stroke-width:2;stroke-dasharray:4 3}
.ck-card .ck-line{stroke:var(--ck-line);stroke-width:1;opacity:.6}
.ck-card .ck-axis{fill:var(--ck-ink);font-size:12px;font-style:italic;text-anchor:middle}
.ck-card .ck-filled{fill:color-mix(in srgb,var(--ck-ink) 30%%,var(--ck-paper));stroke:var(--ck-paper);
stroke-width:1}
.ck-card .ck-frame{fill:none;stroke:var(--ck-soft);stroke-width:1.5}
.ck-card .ck-outline{fill:none;stroke:var(--ck-ink);stroke-width:2}
.ck-card .ck-area{fill:color-mix(in srgb,var(--ck-ink) 16%%,transparent);stroke:none}
.ck-card .ck-name{fill:var(--ck-ink);font-size:12px;font-weight:600;paint-order:stroke;
stroke:var(--ck-paper);stroke-width:3px;stroke-linejoin:round}
.ck-card .ck-scalar{display:inline-flex;align-items:baseline;gap:6px;padding:4px 10px;
border:1px solid var(--ck-line);
border-radius:6px;font-variant-numeric:tabular-nums}
.ck-card .ck-off{border:2px solid var(--ck-bad-ink)}
.ck-card .ck-cross{color:var(--ck-bad-ink);font-weight:700}
.ck-card .ck-eq{color:var(--ck-soft)}
.ck-card .ck-caption{margin:10px 0 0;color:var(--ck-soft);max-width:68ch;overflow-wrap:anywhere}
.ck-card ul{list-style:none;margin:14px 0 0;padding:0}
.ck-card .ck-properties{padding-top:10px;border-top:1px solid var(--ck-line);display:grid;gap:2px}
.ck-card .ck-properties li{display:flex;gap:8px;margin:0}
.ck-card .ck-tick{flex:0 0 1em;font-weight:700;text-align:center;color:var(--ck-bad-ink)}
.ck-card .ck-held .ck-tick{color:var(--ck-good-ink)}
.ck-card .ck-output{margin-top:12px}
.ck-card pre{margin:4px 0;padding:8px 10px;max-height:14em;overflow:auto;border-radius:6px;
white-space:pre-wrap;
overflow-wrap:anywhere;color:inherit;background:color-mix(in srgb,var(--ck-ink) 6%%,transparent);
font:12.5px/1.45 var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)}
.ck-card summary{cursor:pointer}
.ck-card summary:focus-visible{outline:2px solid var(--ck-good-ink);outline-offset:2px}
.ck-card .ck-notes{display:grid;gap:4px}
.ck-card .ck-notes li{margin:0;padding-left:10px;border-left:2px solid var(--ck-line);color:var(--ck-soft);
max-width:72ch;overflow-wrap:anywhere}
"""

STYLE = (_RULES % {"light": _LIGHT, "dark": _DARK}).replace("\n", "")
