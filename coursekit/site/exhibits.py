"""What stands on each demo's page: a few words, then a widget made in Python, and so on."""

from __future__ import annotations

from collections.abc import Callable

from coursekit.site.live import Live
from coursekit.site.shell import Links

Block = str | Live
Maker = Callable[[Links], list[Block]]


def blocks_of(name: str, links: Links) -> list[Block]:
    """HTML and widgets of one demo, in their order. Only what a demo needs is imported."""
    return _MAKERS[name](links)


def _explorer(_: Links) -> list[Block]:
    from coursekit.widgets import GridExplorer

    return [
        _p(
            "A 2×2 input becomes a 4×4 output. Point at an output cell and its arithmetic is written out; "
            "change any number by typing. <em>Step</em> puts down one input’s stamp after the other, and the "
            "frame on the canvas is the part that is kept: drag it, or choose another method above."
        ),
        Live.of(GridExplorer(padding=1, output_padding=1)),
        _keys(
            ("Tab", "goes from grid to grid"),
            ("← ↑ → ↓", "another cell"),
            ("n", "next stamp"),
            ("p", "takes it back"),
            ("Space", "plays"),
        ),
    ]


def _checkerboards(_: Links) -> list[Block]:
    from coursekit.widgets import GridExplorer

    even = [[1, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]]
    return [
        _p(
            "A kernel of 3 with stride 2: stamps overlap in some cells and not in others. The meter asks how "
            "bright each seat of a 2×2 block becomes when the input is flat grey. The matrix beside "
            "it has a row "
            "for each output cell and a column for each input cell."
        ),
        Live.of(
            GridExplorer(padding=1, output_padding=1, panels=("matrix", "meter"), title="Kernel 3, stride 2")
        ),
        "<h2>The same, evened out</h2>",
        _p(
            "A kernel of 4 divides evenly by the stride, and these weights fall off towards its edge. "
            "Can you find a kernel of 3 that is even too? Change the numbers above and watch the meter."
        ),
        Live.of(GridExplorer(kernel=even, padding=1, panels=("meter",), title="Kernel 4, stride 2")),
    ]


def _surgery(_: Links) -> list[Block]:
    from coursekit.widgets import SwitchSurgery

    return [
        _p(
            "Max pooling keeps the largest number of each block, and a switch remembers where it stood. Max "
            "unpooling puts the number back there. Choose a pooled cell and move its switch; swap "
            "two; shuffle all."
        ),
        Live.of(SwitchSurgery()),
        _keys(("← ↑ → ↓", "another pooled cell"), ("Shift + arrow", "moves its switch")),
        "<h2>With a picture</h2>",
        _p("After a shuffle every value is still there. What has gone is where it belongs."),
        Live.of(SwitchSurgery(rings(48))),
    ]


def rings(side: int) -> list[list[float]]:
    """A grey picture of fading rings, ``side`` rows and columns, from 0 to 1."""
    from math import cos, hypot

    at = [2 * index / (side - 1) - 1 for index in range(side)]
    return [
        [
            round(max(0.0, (0.5 + 0.5 * cos(22 * hypot(y, x))) * (hypot(y, x) < 0.9) * (0.6 + 0.4 * x)), 3)
            for x in at
        ]
        for y in at
    ]


def _masks(_: Links) -> list[Block]:
    from coursekit.data import load_scenes
    from coursekit.widgets import MaskLab

    small = load_scenes(1, objects=1, radius=(0.06, 0.07))
    large = load_scenes(1, seed=2, objects=1, radius=(0.26, 0.3))
    return [
        _p(
            "One small object, and nothing is painted yet. Look at the four scores before you begin: "
            "which of them "
            "notices that the object is missing? Then paint it."
        ),
        Live.of(MaskLab(small)),
        _keys(
            ("← ↑ → ↓", "moves the brush"),
            ("Space", "paints"),
            ("1 2 …", "the class"),
            ("[ ]", "size of the brush"),
            ("F", "fills"),
        ),
        "<h2>Two pixels too fat</h2>",
        _p("Here the mask is the true one, grown by two pixels all round. Which score minds most?"),
        Live.of(MaskLab(large, start="grown")),
    ]


def _boxes(_: Links) -> list[Block]:
    from coursekit.data import load_scenes
    from coursekit.widgets import BoxLab

    scene = load_scenes(1, seed=30, size=128, objects=1)
    return [
        _p(
            "Drag the box, or a corner of it. Four judges say how good it is, and the arrows show how "
            "one of them "
            "would change its four numbers. Keep a box, then look for another with the same L2 that "
            "covers the "
            "object much better."
        ),
        Live.of(BoxLab()),
        _keys(
            ("← ↑ → ↓", "moves the box"),
            ("Shift + arrow", "changes its size"),
            ("K", "keeps it"),
            ("1 to 4", "whose arrows"),
        ),
        "<h2>Off the object</h2>",
        _p("Now the arrows are those of IoU. Pull the box off the object. What is left of them?"),
        Live.of(BoxLab(scene, arrows="iou", tasks=["apart", "nested"])),
    ]


def _board(_: Links) -> list[Block]:
    from coursekit.site.replays import recorded_board, replay_controls

    return [
        _p(
            "A U-Net of 65,000 numbers learns on drawn scenes. Press <em>Play</em>: the blur becomes "
            "a mask, first "
            "its areas, then its outlines."
        ),
        replay_controls(),
        recorded_board(),
        _honest(
            "A recording.",
            "This page has no Python, so nothing trains here: it plays what the board showed during "
            "one real run. "
            "In the notebook the same board follows your own net, and <em>Stop</em> ends it.",
        ),
    ]


def _tug(_: Links) -> list[Block]:
    from coursekit.site.replays import recorded_tug

    return [
        _p(
            "One network says what is in a picture and where. Each answer has its own loss, and each "
            "loss pulls at "
            "the same features. Move the weight of the box’s loss: where does the sum go?"
        ),
        recorded_tug(),
        _keys(("← →", "changes the weight")),
        _honest(
            "Measured once, in Python.",
            "The lengths and the angle come from a net trained for twelve seconds; your browser adds "
            "them up. In "
            "the notebook they are your own net’s.",
        ),
    ]


def _guesses(_: Links) -> list[Block]:
    from coursekit.site.questions import predictions, quiz

    return [
        _p(
            "Choose, commit, and only then see. Guessing first makes an answer stick, above all a "
            "wrong guess. "
            "Nobody keeps score."
        ),
        *map(Live.of, predictions()),
        "<h2>And from memory</h2>",
        Live.of(quiz()),
        _honest("Not recorded.", "In the notebooks what you missed is asked again, some lessons later."),
    ]


def _progress(links: Links) -> list[Block]:
    from coursekit.site.invented import progress_of_ada

    return [
        _p("Every lesson is a stop; open one to see its exercises. Below it stands what to do next."),
        f'<div class="live" data-ready>{progress_of_ada(links)}</div>',
        _honest(
            "An invented learner.",
            "Ada’s points are made up. Yours fill in as you work in the notebooks, and stay on your machine.",
        ),
    ]


def _p(words: str) -> str:
    return f'<p class="aside">{words}</p>'


def _honest(head: str, words: str) -> str:
    return f'<p class="honest"><strong>{head}</strong> {words}</p>'


def _keys(*pairs: tuple[str, str]) -> str:
    def caps(keys: str) -> str:
        return " ".join(key if key in ("to", "+", "…") else f"<kbd>{key}</kbd>" for key in keys.split(" "))

    told = " &ensp; ".join(f"{caps(keys)}&nbsp;{does}" for keys, does in pairs)
    return f'<p class="keys">{told}</p>'


_MAKERS: dict[str, Maker] = {
    "grid-explorer": _explorer,
    "checkerboards": _checkerboards,
    "switch-surgery": _surgery,
    "mask-lab": _masks,
    "box-lab": _boxes,
    "training-board": _board,
    "tug": _tug,
    "guess-first": _guesses,
    "progress-map": _progress,
}
