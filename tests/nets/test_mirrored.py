"""Two looks at a picture: what they average, and that training sees one only."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.nets import Mirrored, SegmentationNet


def net_and_images() -> tuple[SegmentationNet, torch.Tensor]:
    images = torch.rand(2, 3, 12, 10, generator=torch.Generator().manual_seed(0))
    return SegmentationNet(3, widths=(4, 8)), images


def test_the_answer_is_the_mean_of_both_shares() -> None:
    net, images = net_and_images()
    said = Mirrored(net).eval()(images).exp()
    both = [net(images).softmax(1), net(images.flip(3)).softmax(1).flip(3)]
    torch.testing.assert_close(said, torch.stack(both).mean(0))


def test_it_faces_no_way() -> None:
    net, images = net_and_images()
    whole = Mirrored(net).eval()
    assert not torch.allclose(net(images.flip(3)), net(images).flip(3), atol=1e-4)
    torch.testing.assert_close(whole(images.flip(3)), whole(images).flip(3))


def test_training_looks_once() -> None:
    net, images = net_and_images()
    looks = []
    net.register_forward_hook(lambda *_: looks.append(1))
    torch.testing.assert_close(Mirrored(net).train()(images), net(images))
    assert len(looks) == 2


def test_an_answer_that_is_sure_stays_a_number() -> None:
    sure = Mirrored(nn.Conv2d(3, 2, 1)).eval()
    with torch.no_grad():
        sure.net.weight.fill_(1e6)
        assert sure(torch.rand(1, 3, 4, 4)).isfinite().all()
        sure.net.weight[0].fill_(-1e6)
        assert sure(torch.rand(1, 3, 4, 4)).isfinite().all()


def test_what_is_no_net_is_refused() -> None:
    with pytest.raises(TypeError, match="Try"):
        Mirrored(lambda images: images)  # type: ignore[arg-type]
