"""Packed rays: those that meet the cube come through, all others see the background."""

import pytest
import torch

from maquette.rays.packing import RAY_MULTIPLE, PackedRays


@pytest.mark.parametrize("images", [1, 3])
def test_what_is_packed_comes_back_to_its_place(images):
    torch.manual_seed(0)
    hits_box = torch.rand(images, 200) < 0.4
    packed = PackedRays.where(hits_box)
    count = packed.pack(hits_box).shape[1]
    assert count % RAY_MULTIPLE == 0 and hits_box.sum() <= count < hits_box.sum() + RAY_MULTIPLE
    values = torch.rand(images, 200, 3)
    again = packed.unpack(packed.pack(values))
    assert torch.equal(again[hits_box], values[hits_box])
    assert (again == values).all(2).sum() == count and (again == 0).all(2).sum() == images * 200 - count
    if images == 1:
        assert packed.image_index is None
    else:
        own = torch.arange(images)[:, None].expand(images, 200)
        assert torch.equal(packed.pack(own)[0], packed.image_index)


def test_rays_that_are_not_packed_see_the_background():
    hits_box = torch.zeros(2, 200, dtype=torch.bool)
    hits_box[:, :10] = True
    packed = PackedRays.where(hits_box)
    count = packed.pack(hits_box).shape[1]
    background = torch.tensor([[[0.25]], [[-0.5]]])
    colour, mask = packed.unpack_over(torch.zeros(1, count, 1), torch.zeros(1, count), background)
    assert torch.equal(colour, background.expand(2, 200, 1)) and not mask.any()
    colour, mask = packed.unpack_over(torch.full((1, count, 1), 0.75), torch.ones(1, count), background)
    assert (colour[hits_box] == 0.75).all() and mask[hits_box].all() and torch.equal(colour[1, 199], background[1, 0])
