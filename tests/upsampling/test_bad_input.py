"""Bad input gets a sentence (expected, got, try), and what it says to try works."""

import re

import numpy as np
import pytest
import torch

from coursekit.upsampling import (
    bed_of_nails,
    bilinear,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    probe,
    resize_conv,
    transposed_conv,
)

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
K = torch.ones(3, 3)
VALUES, SWITCHES = max_pool(torch.arange(16.0).reshape(4, 4))
FORM = re.compile(r"^Expected (?P<expected>.+); got (?P<got>.+)\. Try (?P<attempt>.+)\.$", re.DOTALL)

GRID_METHODS = {
    "nearest": nearest,
    "bed_of_nails": bed_of_nails,
    "bilinear": bilinear,
    "max_pool": max_pool,
    "max_unpool": lambda x: max_unpool(x, SWITCHES, 4),
    "pixel_shuffle": lambda x: pixel_shuffle(x, 1),
    "transposed_conv": lambda x: transposed_conv(x, K),
    "resize_conv": lambda x: resize_conv(x, K),
}
BAD_GRIDS = {
    "none": (None, TypeError, "got None"),
    "text": ("grid", TypeError, "got 'grid'"),
    "number": (3.0, TypeError, "got 3.0"),
    "list": ([[1.0, 2.0]], TypeError, "got a list of length 1"),
    "array": (np.ones((2, 2)), TypeError, "got a NumPy array of shape (2, 2) and dtype float64"),
    "int array": (np.ones((2, 2), int), TypeError, "dtype int64"),
    "int": (torch.ones(2, 2, dtype=torch.int64), TypeError, "got a tensor of shape (2, 2) and dtype int64"),
    "bool": (torch.ones(2, 2, dtype=torch.bool), TypeError, "dtype bool"),
    "complex": (torch.ones(2, 2, dtype=torch.complex64), TypeError, "dtype complex64"),
    "scalar": (torch.tensor(1.0), ValueError, "got a tensor of shape ()"),
    "row": (torch.ones(3), ValueError, "got a tensor of shape (3,)"),
    "empty": (torch.ones(2, 0, 2), ValueError, "got a tensor of shape (2, 0, 2)"),
    "nan": (torch.tensor([[[1.0, 2.0], [3.0, torch.nan]]]), ValueError, "got NaN at cell (0, 1, 1)"),
    "long": ("a" * 100, TypeError, "got a value of type str"),
}


def refusal(call, error):
    """The sentence's three parts; any other exception, or none, fails."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    found = FORM.match(str(caught.value))
    assert found, f"not in the form: {caught.value}"
    assert "  " not in str(caught.value)
    return found


@pytest.mark.parametrize("method", GRID_METHODS)
@pytest.mark.parametrize("bad", BAD_GRIDS)
def test_a_bad_grid(method, bad):
    value, error, got = BAD_GRIDS[bad]
    found = refusal(lambda: GRID_METHODS[method](value), error)
    assert got in found.group(0)
    assert found["expected"].startswith(("x ", "values ", "numbers in "))


@pytest.mark.parametrize("method", [transposed_conv, resize_conv])
@pytest.mark.parametrize("bad", BAD_GRIDS)
def test_a_bad_kernel(method, bad):
    value, error, got = BAD_GRIDS[bad]
    found = refusal(lambda: method(X, value), error)
    assert got in found.group(0)
    assert "kernel" in found["expected"]


@pytest.mark.parametrize(
    "bad", ["list", "array", "int array", "int", "bool", "row", "scalar", "nan", "number"]
)
def test_what_it_says_to_try_with_a_grid_works(bad):
    x, error, _ = BAD_GRIDS[bad]
    attempt = refusal(lambda: nearest(x), error)["attempt"].removesuffix(" for a single row")
    assert nearest(eval(attempt, {"torch": torch, "x": x})).ndim >= 2


def test_the_advice_names_the_argument():
    assert refusal(lambda: transposed_conv(X, K.int()), TypeError)["attempt"] == "kernel.float()"
    assert refusal(lambda: transposed_conv(X, K.numpy()), TypeError)["attempt"] == "torch.from_numpy(kernel)"
    assert refusal(lambda: max_unpool(X.int(), SWITCHES, 4), TypeError)["attempt"] == "values.float()"


SETTINGS = [
    (nearest, (X,), "factor", 0),
    (nearest, (X,), "factor", -1),
    (nearest, (X,), "factor", 2.0),
    (nearest, (X,), "factor", 1.5),
    (nearest, (X,), "factor", "2"),
    (nearest, (X,), "factor", None),
    (nearest, (X,), "factor", True),
    (nearest, (X,), "factor", (2, 2, 2)),
    (nearest, (X,), "factor", (2, 0)),
    (nearest, (X,), "factor", (2, "a")),
    (nearest, (X,), "factor", float("nan")),
    (nearest, (X,), "factor", torch.tensor(2)),
    (bed_of_nails, (X,), "factor", 0),
    (bilinear, (X,), "factor", 2.5),
    (bilinear, (X,), "align_corners", "yes"),
    (bilinear, (X,), "align_corners", None),
    (max_pool, (X,), "size", 0),
    (max_pool, (X,), "size", 3),
    (max_pool, (X,), "size", (1, 3)),
    (max_pool, (torch.ones(1, 4),), "size", 2),
    (max_pool, (X,), "size", 2.0),
    (pixel_shuffle, (torch.ones(4, 2, 2),), "factor", (2, 1)),
    (pixel_shuffle, (torch.ones(4, 2, 2),), "factor", 0),
    (resize_conv, (X, K), "factor", 0),
    (resize_conv, (X, K), "mode", "bicubic"),
    (resize_conv, (X, K), "mode", None),
    (resize_conv, (X, K), "mode", ["nearest"]),
    (resize_conv, (X, K), "mode", np.array(["nearest", "bilinear"])),
    (transposed_conv, (X, K), "stride", 0),
    (transposed_conv, (X, K), "stride", 2.0),
    (transposed_conv, (X, K), "stride", (2, -1)),
    (transposed_conv, (X, K), "stride", "two"),
    (transposed_conv, (X, K), "padding", -1),
    (transposed_conv, (X, K), "padding", 0.5),
    (transposed_conv, (X, K), "padding", "same"),
    (transposed_conv, (X, K), "padding", 3),
    (transposed_conv, (X, K), "padding", (1, 5)),
    (transposed_conv, (X, K), "padding", 10**6),
    (transposed_conv, (X, K), "output_padding", -1),
    (transposed_conv, (X, K), "output_padding", 2),
    (transposed_conv, (X, K), "output_padding", (1, 2)),
    (transposed_conv, (X, K), "output_padding", True),
]


@pytest.mark.parametrize(
    ("method", "inputs", "name", "value"),
    SETTINGS,
    # No addresses in the ids: two processes must collect the same names.
    ids=[f"{method.__name__}, {name}={value!r}" for method, _, name, value in SETTINGS],
)
def test_a_bad_setting_and_what_it_says_to_try(method, inputs, name, value):
    numbers = isinstance(value, int | tuple) and not isinstance(value, bool)
    whole = numbers and all(
        isinstance(side, int) for side in (value if isinstance(value, tuple) else (value,))
    )
    is_pair = whole and (isinstance(value, int) or len(value) == 2)
    error = ValueError if is_pair or name == "mode" else TypeError
    found = refusal(lambda: method(*inputs, **{name: value}), error)
    attempt = found["attempt"]
    if attempt.startswith(f"{name}="):
        better = eval(attempt.removeprefix(f"{name}="))
    else:
        better = int(re.fullmatch(r"a size of at most (\d+)", attempt)[1])
    method(*inputs, **{name: better})


def test_stride_one_leaves_no_output_padding_and_says_so():
    found = refusal(lambda: transposed_conv(X, K, stride=1, output_padding=1), ValueError)
    assert found["attempt"] == "output_padding=0"
    assert "smaller than the stride" in found["expected"]
    mixed = refusal(lambda: transposed_conv(X, K, stride=(1, 3), output_padding=(0, 3)), ValueError)
    assert mixed["attempt"] == "output_padding=(0, 2)"


def test_padding_that_leaves_nothing_says_which_padding_leaves_something():
    found = refusal(lambda: transposed_conv(X, K, padding=(3, 1)), ValueError)
    assert (found["got"], found["attempt"]) == ("-1 x 3 cells", "padding=(2, 1)")
    assert (
        refusal(lambda: transposed_conv(X[:1, :1], K[:1, :1], padding=1), ValueError)["attempt"]
        == "padding=0"
    )


class TestShapesThatDoNotFit:
    @pytest.mark.parametrize("method", [transposed_conv, resize_conv])
    @pytest.mark.parametrize("kernel", [torch.ones(1, 3, 3), torch.ones(2, 3, 3), torch.ones(1, 1, 1, 3, 3)])
    def test_a_kernel_of_three_or_five_axes(self, method, kernel):
        found = refusal(lambda: method(X, kernel), ValueError)
        assert "a kernel (kh, kw) or (C_" in found["expected"]
        method(X, eval(found["attempt"].removesuffix(" for one plane"), {"kernel": kernel}))

    @pytest.mark.parametrize("method", [transposed_conv, resize_conv])
    @pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (3, 2, 1, 2, 2)])
    def test_a_grid_without_the_axes_that_the_kernel_needs(self, method, shape):
        x = torch.ones(shape)
        found = refusal(lambda: method(x, torch.ones(1, 1, 3, 3)), ValueError)
        method(eval(found["attempt"], {"x": x}), torch.ones(1, 1, 3, 3))

    @pytest.mark.parametrize(
        ("method", "order"),
        [(transposed_conv, "(C_in, C_out, kh, kw)"), (resize_conv, "(C_out, C_in, kh, kw)")],
    )
    def test_channels_that_do_not_match(self, method, order):
        x, swapped = (
            torch.ones(1, 2, 3, 3),
            torch.ones((5, 2, 3, 3) if method is transposed_conv else (2, 5, 3, 3)),
        )
        found = refusal(lambda: method(x, swapped), ValueError)
        assert found["got"] == f"x with 2 channels and a kernel {order} with C_in = 5"
        assert found["attempt"].startswith("kernel.transpose(0, 1), if")
        assert method(x, swapped.transpose(0, 1)).shape[1] == 5
        hopeless = refusal(lambda: method(x, torch.ones(4, 4, 3, 3)), ValueError)
        assert hopeless["attempt"] == "a kernel with C_in = 2"

    def test_two_dtypes(self):
        for method in (transposed_conv, resize_conv):
            found = refusal(lambda method=method: method(X, K.double()), TypeError)
            assert found["got"] == "x of dtype float32 and kernel of dtype float64"
            method(X, eval(found["attempt"], {"x": X, "kernel": K.double()}))

    @pytest.mark.parametrize("channels", [1, 2, 3, 5, 6, 7])
    def test_channels_that_fill_no_blocks(self, channels):
        x = torch.ones(1, channels, 2, 2)
        found = refusal(lambda: pixel_shuffle(x, 2), ValueError)
        assert found["got"] == f"{channels} channels"
        if channels > 4:
            pixel_shuffle(eval(found["attempt"], {"x": x}), 2)
        else:
            assert found["attempt"] == "a grid with 4 channels, one a cell of the block"

    def test_a_plane_has_no_channels_to_shuffle(self):
        found = refusal(lambda: pixel_shuffle(X), ValueError)
        assert found["expected"] == "x with at least 3 axes (..., C, H, W)"
        assert "torch.stack" in found["attempt"]
        assert pixel_shuffle(torch.stack([X] * 4)).shape == (1, 4, 4)


class TestSwitches:
    @pytest.mark.parametrize(
        ("switches", "error"),
        [
            (None, TypeError),
            ([[0, 1], [2, 3]], TypeError),
            (SWITCHES.numpy(), TypeError),
            (SWITCHES.int(), TypeError),
            (SWITCHES.float(), TypeError),
            (SWITCHES > 6, TypeError),
            (SWITCHES[0], ValueError),
            (SWITCHES.T[None], ValueError),
            (SWITCHES.expand(2, 2, 2), ValueError),
        ],
    )
    def test_of_another_kind_or_shape(self, switches, error):
        found = refusal(lambda: max_unpool(VALUES, switches, 4), error)
        assert found["expected"] == "switches as an int64 tensor of the values' shape (2, 2)"
        assert found["attempt"] in ("the switches that max_pool returned", "switches.long()")

    def test_wrong_dtype_is_mended_by_the_advice(self):
        found = refusal(lambda: max_unpool(VALUES, SWITCHES.int(), 4), TypeError)
        max_unpool(VALUES, eval(found["attempt"], {"switches": SWITCHES.int()}), 4)

    @pytest.mark.parametrize("switches", [SWITCHES + 1, SWITCHES - 6])
    def test_out_of_range(self, switches):
        found = refusal(lambda: max_unpool(VALUES, switches, 4), ValueError)
        assert found["expected"] == "switches from 0 to 15, the cells of a 4 x 4 grid"
        assert found["got"] == f"{int(switches.min())} to {int(switches.max())}"
        assert found["attempt"] == "output_size=(rows, columns) of the grid that was pooled"

    @pytest.mark.parametrize("size", [0, (4, 0), -1, 4.0, None, "4", (4,), (1, 4, 4), True])
    def test_output_sizes(self, size):
        error = ValueError if size in (0, -1, (4, 0)) and size is not False else TypeError
        found = refusal(lambda: max_unpool(VALUES, SWITCHES, size), error)
        assert found["attempt"] == "output_size=(rows, columns) of the grid that was pooled"


class TestProbe:
    @pytest.mark.parametrize("method", [None, 3, X, "nearest"])
    def test_nothing_to_call(self, method):
        found = refusal(lambda: probe(method, X), TypeError)
        assert found["expected"] == "something to call"

    @pytest.mark.parametrize("bad", [name for name in BAD_GRIDS if name not in ("array", "scalar", "row")])
    def test_a_bad_first_input(self, bad):
        value, error, _ = BAD_GRIDS[bad]
        found = refusal(lambda: probe(lambda x: x, value), error)
        if bad in ("list", "int array", "int", "bool", "number"):
            mended = eval(found["attempt"], {"torch": torch, "np": np, "x": value})
            assert probe(lambda x: x, mended).linear

    @pytest.mark.parametrize("array", [np.ones(2, np.longdouble), np.ones((2, 2), ">f4"), np.array(["a"])])
    def test_arrays_that_torch_does_not_know(self, array):
        found = refusal(lambda: probe(lambda x: x, array), TypeError)
        assert found["attempt"] == "x.astype(np.float32)"

    def test_no_input_at_all(self):
        found = refusal(lambda: probe(nearest), TypeError)
        assert (found["got"], found["attempt"]) == ("no input", "probe(method, torch.ones(2, 2))")

    @pytest.mark.parametrize("bad", [torch.inf, -torch.inf, torch.nan])
    def test_numbers_without_end(self, bad):
        spoilt = torch.tensor([[1.0, bad]])
        assert "the grid" in refusal(lambda: probe(nearest, spoilt), ValueError)["expected"]
        assert "the kernel" in refusal(lambda: probe(transposed_conv, X, spoilt), ValueError)["expected"]
        assert "the kernel" in refusal(lambda: probe(transposed_conv, X, spoilt[:0]), ValueError)["expected"]
