"""Scans on their way to the networks: a function of (seed, step), varied and mirrored as said, and exact resuming."""

from dataclasses import replace

import numpy as np
import torch
from boxes import Boxes, job
from scipy import ndimage

from maquette.training import loop
from maquette.training.augment import DROPPED, STRAY, jitter_scans
from maquette.training.batches import Batches

NAME = "vae-iwgan-scan-tiny"


def test_batches_are_a_function_of_the_step_however_they_are_cut():
    system, recipe, batches = job(1, NAME)
    whole, again = batches.at(5), job(1, NAME)[2].at(5)
    assert torch.equal(whole.scans, again.scans) and not torch.equal(whole.scans, batches.at(6).scans)
    assert whole.images is None and whole.seen is whole.scans and whole.scans.shape == whole.voxels.shape
    parts = [part for rank in (0, 1)
             for part in Batches(Boxes(), np.arange(29), recipe, system, (rank, 2)).at(5).cut(2)]
    assert torch.equal(torch.cat([part.scans for part in parts]), whole.scans)
    assert torch.equal(torch.cat([part.voxels for part in parts]), whole.voxels)
    assert all(part.scans.dtype == torch.float32 and len(part.scans) == 2 for part in parts)


def test_scan_and_shape_are_mirrored_together_and_else_left_alone():
    system, recipe, _ = job(1, NAME)
    plain = replace(recipe, data=replace(recipe.data, jitter=False))
    seen = Batches(Boxes(), np.arange(29), plain, system)
    mirrored = 0
    for step in range(4):
        batch, rows = seen.at(step), seen.rows(step)
        truth = torch.from_numpy(Boxes().voxels(rows)).unsqueeze(1).float()
        flipped = (batch.voxels != truth).flatten(1).any(1)
        mirrored += int(flipped.sum())
        assert torch.equal(batch.voxels[flipped].flip(2), truth[flipped])
        scans = torch.where(flipped.view(-1, 1, 1, 1, 1), batch.scans.flip(2), batch.scans).bool().squeeze(1).numpy()
        sides = [Boxes().scans(rows, [side] * len(rows)) for side in range(3)]
        assert all(any(np.array_equal(scan, side[k]) for side in sides) for k, scan in enumerate(scans))
    assert 8 <= mirrored <= 24, "about half of 32"


def test_jitter_drops_moves_and_adds_as_it_says():
    scans = Boxes().scans(np.arange(20), np.arange(20) % 3)
    varied = jitter_scans(scans, np.arange(20))
    assert np.array_equal(varied, jitter_scans(scans, np.arange(20)))
    assert np.array_equal(varied[3:4], jitter_scans(scans[3:4], np.array([3]))), "each by its own seed"
    moves = set()
    for scan, new in zip(scans, varied, strict=True):
        best = max((np.count_nonzero(new & np.roll(scan, move, (0, 1, 2))), move) for move in np.ndindex(3, 3, 3)
                   for move in [tuple(np.array(move) - 1)])
        moves.add(best[1])
        kept, stray = best[0], np.count_nonzero(new) - best[0]
        assert kept >= (1 - DROPPED) * scan.sum() - 4 * np.sqrt(scan.sum()) and stray <= STRAY
        near = ndimage.binary_dilation(scan, np.ones((3, 3, 3)))
        assert np.count_nonzero(new & ~near) <= STRAY
    assert len(moves) > 5
    corner = np.zeros((30, 20, 20, 20), bool)
    corner[:, 0, 0, 0] = True
    counts = jitter_scans(corner, np.arange(30)).sum((1, 2, 3))
    assert counts.max() <= 1 + STRAY and counts.min() == 0, "what leaves the grid does not come in again"


def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path):
    runs = [job(7, NAME), job(3, NAME), job(7, NAME)]
    for parts, folder, resume in zip(runs, ("whole", "parts", "parts"), (False, False, True), strict=True):
        (tmp_path / folder).mkdir(exist_ok=True)
        list(loop.train(*parts, tmp_path / folder, resume=resume))
    for key, value in runs[0][0].nets.state_dict().items():
        assert torch.equal(value, runs[2][0].nets.state_dict()[key]), key
