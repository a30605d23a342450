"""The search for a camera: where it begins, what it may be, and what a step moves."""


import numpy as np
import pytest
import torch
from blob import blob
from inversions import BRIEF, last, real, shown

from maquette.errors import UserError
from maquette.fields.inversion import Search, invert
from maquette.fields.search import PoseSearch, spread_order
from maquette.fields.subject import find_subject
from maquette.models.prior import draw


def test_camera_codes_and_frame_all_get_a_gradient():
    for form in ("mlp", "planes", "graf"):
        model = real(form)
        task = PoseSearch(model, find_subject(shown(blob(), torch.from_numpy(draw(blob(), 3))), 16, 3), BRIEF)
        poses = task.select([task.try_camera((30.0, 20.0), 0)])
        before = poses.copy()
        assert len(poses) == 1
        task.step(poses, task.optimiser(poses), torch.Generator().manual_seed(0), 1.0)
        for name in ("codes", "angles", "frame"):
            assert (getattr(poses, name) != getattr(before, name)).all(), (form, name)


def test_the_cameras_tried_first_are_all_around():
    assert spread_order(8) == [0, 4, 2, 6, 1, 5, 3, 7] and spread_order(1) == [0]
    assert sorted(spread_order(13)) == list(range(13))
    model = blob()
    subject = find_subject(shown(model, torch.from_numpy(draw(model, 1))), 16, 3)
    whole = PoseSearch(model, subject, Search(azimuths=4, elevations=2, draws=2))
    cameras = whole.cameras()
    assert len(cameras) == 16 and [angles[0] for angles in cameras[:4]] == [0, 180, 90, 270]
    sines = np.sin(np.radians([cameras[0][1], cameras[4][1]]))
    assert sines == pytest.approx(np.sin(np.radians(45)) * np.array([0.25, 0.75]))
    part = blob(azimuth_deg=(-30.0, 30.0), elevation_deg=(10.0, 10.0))
    task = PoseSearch(part, whole.seen, Search(azimuths=2, elevations=1, draws=1))
    assert task.cameras() == [(-15, pytest.approx(10)), (15, pytest.approx(10))]
    found = last(invert(part, shown(part, torch.from_numpy(draw(part, 3)), 10.0), BRIEF))
    assert -30 <= found.azimuth_deg <= 30 and found.elevation_deg == 10


@pytest.mark.parametrize("keys, text", [
    ({"steps": 0}, "steps must be from 1 to 100000, got 0"),
    ({"azimuths": 361}, "azimuths must be from 1 to 360, got 361"),
    ({"elevations": 0}, "elevations must be from 1 to 90, got 0"),
    ({"draws": 0}, "draws must be from 1 to 1000, got 0"),
    ({"starts": 65}, "starts must be from 1 to 64, got 65"),
    ({"rays": 0}, "rays must be from 1 to 1048576, got 0"),
    ({"silhouette": -1.0}, "silhouette must be 0 or more, got -1.0"),
    ({"prior_weight": float("nan")}, "prior_weight must be 0 or more, got nan"),
    ({"seconds": 0.0}, "seconds must be above 0, got 0.0"),
    ({"seconds": float("inf")}, "seconds must be above 0, got inf"),
    ({"seed": -1}, "seed must be 0 or more, got -1"),
])
def test_searches_that_cannot_be(keys, text):
    with pytest.raises(UserError, match=text):
        Search(**keys)
