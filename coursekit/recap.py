"""The lecture on one page: every way up with what it does and costs, and what one backbone can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from coursekit.curriculum import LESSONS

START = [[1.0, 2.0], [3.0, 4.0]]

_STYLE = """<style>
.rc-map{container-type:inline-size;font-family:var(--jp-ui-font-family,system-ui,sans-serif);line-height:1.4;max-width:62rem;
  color:var(--jp-ui-font-color1,CanvasText)}
.rc-map h4{margin:1rem 0 .4rem}
.rc-map ul{list-style:none;margin:0!important;padding:0!important}
.rc-ways{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18.5rem),1fr));gap:.7rem}
.rc-way{border:1px solid var(--jp-border-color1,gray);border-radius:8px;padding:.6rem .8rem;display:grid;
  grid-template-columns:auto minmax(0,1fr);gap:.2rem .8rem;align-content:start}
.rc-way strong,.rc-way p,.rc-way .rc-facts{grid-column:1/-1;margin:0}
.rc-way .rc-grid+p{grid-column:2}
.rc-grid{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.78rem}
.rc-map .rc-grid td{border:1px solid var(--jp-border-color1,gray);width:1.75rem;height:1.75rem;padding:0;
  text-align:center;background:none}
.rc-map .rc-grid tr{background:none!important}
.rc-start{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .9rem;margin:0 0 .8rem}
.rc-facts{font-size:.86rem;font-variant-numeric:tabular-nums}
.rc-facts .rc-bar{display:block;height:.45rem;margin:.15rem 0 .3rem;border-radius:3px;
  background:var(--jp-border-color2,#8884)}
.rc-facts .rc-bar span{display:block;height:100%;border-radius:3px;background:#0072b2}
.rc-flow{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .6rem}
.rc-flow span{border:1px solid var(--jp-border-color1,gray);border-radius:8px;padding:.25rem .7rem}
.rc-flow i{font-style:normal}
.rc-heads{margin:.4rem 0 0 1.2rem!important}
.rc-heads li{margin:.4rem 0}
</style>"""


@dataclass(frozen=True)
class Way:
    """One way from few pixels to many.

    Attributes
    ----------
    name : str
        As the course's nets call it; empty where none of them goes this way alone.
    title, does, when : str
        What it is called, what it does, and when to take it.
    lesson : str
        Two digits.
    grid : list of list of float, or None
        What becomes of `START`.
    """

    name: str
    title: str
    does: str
    when: str
    lesson: str
    grid: list[list[float]] | None = None


@dataclass(frozen=True)
class LectureMap:
    """The map; draws itself. Made by :func:`lecture_map`."""

    ways: tuple[Way, ...]
    facts: Mapping[str, tuple[int, int, float]]
    links: Mapping[str, str]

    def __repr__(self) -> str:
        lines = [
            "Ways up: learned numbers (convolutions around it included), million multiply-adds, mean IoU"
        ]
        for way in self.ways:
            learned, work, miou = self.facts.get(way.name, (0, 0, 0.0))
            known = f"{learned:>7,} {work / 1e6:>6.1f} {miou:.3f}" if way.name in self.facts else ""
            lines.append(f"  {way.lesson} {way.title:<24} {known:<22} {way.when}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cards = "".join(f'<li class="rc-way">{self._card(way)}</li>' for way in self.ways)
        return (
            f'<section class="rc-map" aria-label="The lecture on one page">{_STYLE}'
            f"<h4>From few pixels to many</h4>{_start()}<ul class='rc-ways'>{cards}</ul>"
            f"<h4>From one backbone to several answers</h4>{self._backbone()}</section>"
        )

    def _card(self, way: Way) -> str:
        return (
            f"<strong>{escape(way.title)}</strong>{_table(way.grid, way.title)}<p>{escape(way.does)}</p>"
            f"{self._facts(way.name)}<p>{escape(way.when)} {self._link(way.lesson)}</p>"
        )

    def _facts(self, name: str) -> str:
        if name not in self.facts:
            return ""
        learned, work, miou = self.facts[name]
        most = max(each for _, each, _ in self.facts.values())
        measured = f" · mean IoU {miou:.2f} at equal seconds" if miou == miou else ""
        return (
            f'<div class="rc-facts">{learned:,} learned numbers, with the convolutions around it'
            f"{measured}<br>"
            f"{work / 1e6:.1f} M multiply-adds for one 64x64 picture"
            f'<span class="rc-bar" aria-hidden="true"><span style="width:{100 * work / most:.0f}%">'
            "</span></span></div>"
        )

    def _link(self, lesson: str) -> str:
        address = self.links.get(lesson)
        return f'<a href="{escape(address)}">Lesson {lesson}</a>' if address else f"(Lesson {lesson})"

    def _backbone(self) -> str:
        heads = (
            ("decoder", "a class for every pixel", "Grows the features back to full size.", "07"),
            ("class head", "what is there", "A mean over all places will do: where does not matter.", "09"),
            ("box head", "where it is: x, y, w, h", "Must keep the places: a mean would forget them.", "09"),
        )
        rows = "".join(
            f'<li class="rc-flow"><i aria-hidden="true">↳</i><span>{name}</span><i aria-hidden="true">→</i>'
            f"<b>{gives}</b> {why} {self._link(lesson)}</li>"
            for name, gives, why, lesson in heads
        )
        return (
            '<div class="rc-flow"><span>picture</span><i aria-hidden="true">→</i><span>encoder</span>'
            '<i aria-hidden="true">→</i><span>features, small and deep</span></div>'
            f'<ul class="rc-heads">{rows}</ul>'
        )


def lecture_map() -> LectureMap:
    """Every way up with what it does and costs, what one backbone can carry, and where each was taught."""
    from coursekit.remembering import lesson_links

    addresses = lesson_links()
    links = {each.id[:2]: addresses[each.id] for each in LESSONS if each.id in addresses}
    ways = _ways()
    return LectureMap(ways, {way.name: _fact(way.name) for way in ways if way.name}, links)


def _ways() -> tuple[Way, ...]:
    import torch

    import coursekit.upsampling as up

    x = torch.tensor(START)
    stamp = torch.tensor([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
    spread = up.transposed_conv(x, stamp, stride=2, padding=1, output_padding=1)
    switches = torch.tensor([[1, 2], [12, 11]])
    four = torch.arange(1.0, 5.0)[:, None, None].expand(4, 2, 2) * 1.0
    kernel = torch.full((3, 3), 1 / 9)
    made: dict[str, Any] = {
        "nearest": up.nearest(x),
        "": up.bed_of_nails(x),
        "bilinear": up.bilinear(x),
        "max_unpool": up.max_unpool(x, switches, (4, 4)),
        "transposed": spread,
        "resize_conv": up.resize_conv(x, kernel),
        "pixel_shuffle": up.pixel_shuffle(four)[0],
    }
    return tuple(Way(*told, made[told[0]].tolist() if told[0] in made else None) for told in _TOLD)


_TOLD = (
    (
        "none",
        "Never shrink",
        "No detail is lost; every layer pays for the full size.",
        "For tiny pictures.",
        "02",
    ),
    (
        "nearest",
        "Nearest neighbour",
        "Copies each value into a block.",
        "Cheap; put a convolution after it.",
        "03",
    ),
    ("", "Bed of nails", "One value a block, zeros around it.", "To see what other ways are made of.", "03"),
    ("bilinear", "Bilinear", "Mixes neighbours by distance.", "A strong and cheap first try.", "03"),
    (
        "max_unpool",
        "Max unpooling",
        "Puts each value where its maximum stood; the switches remember.",
        "Where exact places matter and each pooling has its partner.",
        "04",
    ),
    (
        "transposed",
        "Transposed convolution",
        "Stamps a learned kernel; overlaps add.",
        "When the way up should learn. Let the stride divide the kernel's size.",
        "05",
    ),
    (
        "resize_conv",
        "Resize-convolution",
        "Copies first, then convolves at full size.",
        "When checkerboards disturb; it works more for it.",
        "06",
    ),
    (
        "pixel_shuffle",
        "Pixel shuffle",
        "Computes four channels at the small size (here all 1, all 2, 3 and 4), then interleaves them.",
        "A learned way whose work is done at the small size.",
        "06",
    ),
    (
        "unet",
        "With skip connections",
        "Lays features of the way down beside those of the way up.",
        "When outlines matter, and there is time to train.",
        "07",
    ),
)


def _fact(name: str) -> tuple[int, int, float]:
    """Learned numbers on the way up, multiply-adds of the whole net, median of the measured mean IoUs."""
    from coursekit.nets import SegmentationNet, cost
    from coursekit.training import BakeOff

    net = SegmentationNet(5, name)
    learned = sum(each.numel() for each in net.decoder.parameters())
    try:
        miou = BakeOff.load("scenes-seconds").row(name).median()
    except (OSError, KeyError, ValueError):
        miou = float("nan")
    return learned, cost(net, (64, 64)).multiply_adds, miou


def _start() -> str:
    return (
        f"<div class='rc-start'><span>Each grid began as this one:</span>{_table(START, 'the start')}</div>"
    )


def _table(grid: list[list[float]] | None, of: str) -> str:
    if grid is None:
        return ""
    rows = "".join(
        "<tr>" + "".join(f"<td>{round(value, 1):g}</td>" for value in row) + "</tr>" for row in grid
    )
    return f'<table class="rc-grid" aria-label="{escape(of)}"><tbody>{rows}</tbody></table>'
