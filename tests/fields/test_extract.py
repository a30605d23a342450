"""Meshes out of fields: closed forms of volume and area, colours, how often a field is asked, and what cannot be."""

import dataclasses

import numpy as np
import pytest
import torch
from forms import ball, block, either
from torch import nn

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.fields import field_mesh
from maquette.fields.extract import field_colours, field_surface
from maquette.geometry.mesh import components, is_closed
from maquette.geometry.repair import keep_largest
from maquette.nets.occupancy_fields import OccupancyField
from maquette.systems import SYSTEMS

LATENT = torch.linspace(-1, 1, 14)  # of the tiny recipes: 6 of the shape, 5 of the appearance, 3 of the camera
PLANES = {"field": "planes", "field_width": 16, "field_depth": 2, "plane_side": 8, "plane_features": 2,
          "plane_width": 6}


def generator_of(name: str = "3dgen-tiny", seed: int = 0, **keys) -> nn.Module:
    torch.manual_seed(seed)
    recipe = recipes.load(name)
    return SYSTEMS[recipe.system](dataclasses.replace(recipe.model, **keys)).nets["generator"].eval()


class Known(OccupancyField):
    """A field by a formula of positions `[N, 3]`; it counts what it is asked."""

    def __init__(self, formula, features: int = 8):
        super().__init__()
        self.formula, self.features, self.asked = formula, features, 0

    def occupancy(self, positions, shape, owner=None):
        self.asked += positions.shape[1]
        values = self.formula(positions[0])[None]
        return values, positions.new_zeros(*positions.shape[:2], self.features)


class Painted(nn.Module):
    """A colour field that keeps what it is given and shows a formula of it."""

    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, positions, normals, directions, features, appearance, owner=None):
        self.seen = positions[0], normals[0], directions[0]
        return self.formula(*self.seen, appearance)[None]


def known(formula, colours=lambda at, *_: torch.zeros_like(at), **keys) -> nn.Module:
    generator = generator_of(**keys)
    generator.field, generator.colour = Known(formula), Painted(colours)
    return generator


@pytest.mark.parametrize("sharp", [20.0, 500.0])
def test_a_ball_has_its_volume_and_area_and_is_asked_for_seldom(sharp):
    generator = known(ball(0.35, (0.05, -0.02, 0.03), sharp))
    found = field_mesh(generator, LATENT, 128)
    mesh = found.mesh
    assert is_closed(mesh) and components(mesh)[0] == 1 and mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.35**3, rel=1e-3)
    assert mesh.area == pytest.approx(4 * np.pi * 0.35**2, rel=1e-3)
    radii = np.linalg.norm(mesh.vertices - (0.05, -0.02, 0.03), axis=1)
    assert np.abs(radii - 0.35).max() < 2e-4
    assert (mesh.area_faces > 0).all()
    assert found.evaluations < 0.15 * 128**3 and found.colours.shape == (len(mesh.vertices), 3)
    asked, generator.field.asked = generator.field.asked, 0
    field_surface(generator, LATENT, 128)
    assert generator.field.asked == found.evaluations < asked


def test_a_block_beyond_the_cube_is_closed_at_its_border():
    found = field_surface(known(block(0.7, 0.2, 0.15)), LATENT, 64)
    assert is_closed(found.mesh) and (found.mesh.area_faces > 0).all()
    assert found.mesh.volume == pytest.approx(1 * 0.4 * 0.3, rel=3e-3)
    full = 2 * (0.4 + 0.3 + 0.4 * 0.3)
    assert full - 4 * (2 - np.sqrt(2)) / 64 < found.mesh.area < full, "four edges are cut off, by up to a cell"
    assert found.mesh.bounds[:, 0] == pytest.approx([-0.5, 0.5], abs=2e-3 / 64)
    corner = field_surface(known(lambda at: 20 * (at.amin(1) - 0.1)), LATENT, 32)
    assert is_closed(corner.mesh) and corner.mesh.volume == pytest.approx(0.4**3, rel=0.01)


def test_the_level_is_an_occupancy():
    """o(r) = sigmoid(20 (0.3 - r)) is 0.9 at r = 0.3 - ln(9) / 20."""
    found = field_surface(known(ball(0.3)), LATENT, 64, 0.9)
    assert found.mesh.volume == pytest.approx(4 / 3 * np.pi * (0.3 - np.log(9) / 20) ** 3, rel=5e-3)


def test_a_piece_between_the_corners_of_the_first_grid_is_missed_without_a_hint_and_found_with_one():
    speck = (1 / 64, 1 / 64, 1 / 64)  # the middle of a cell of the first grid, 1/32 wide, whose corners are 0.027 away
    hidden = field_surface(known(either(ball(0.2, (-0.25, 0, 0)), lambda at: torch.where(
        ball(0.012, speck)(at) > 0, 1.0, -10.0))), LATENT, 128)
    seen = field_surface(known(either(ball(0.2, (-0.25, 0, 0)), ball(0.012, speck))), LATENT, 128)
    assert components(hidden.mesh)[0] == 1 and components(seen.mesh)[0] == 2


def test_colours_are_those_of_the_field_and_the_camera_that_faces_the_surface():
    generator = known(ball(0.3), lambda at, normals, directions, _: torch.stack(
        [2 * at[:, 0], normals[:, 1], torch.full_like(at[:, 0], -0.2)], 1))
    found = field_mesh(generator, LATENT, 32)
    at = np.asarray(found.mesh.vertices)
    by_hand = np.stack([2 * at[:, 0], at[:, 1] / np.linalg.norm(at, axis=1), np.full(len(at), -0.2)], 1)
    assert found.colours.dtype == np.uint8 and np.abs(found.colours - (by_hand + 1) * 127.5).max() <= 0.51
    _, normals, directions = (values.numpy() for values in generator.colour.seen)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-5)
    up = np.degrees(np.arcsin(normals[:, 2]))
    within = (up > 0) & (up < 45)  # elevations of the cameras: 0 to 45 degrees
    facing = -(normals * directions).sum(1)
    assert within.any() and facing[within].min() > 0.999
    heights = -directions[:, 2] * 2.9 + at[:, 2]  # of the camera, about
    assert heights.min() > -0.35 and facing.min() < 0.5
    grey = known(ball(0.3), lambda at, *_: torch.full_like(at[:, :1], 0.2))
    assert (field_mesh(grey, LATENT, 32).colours == round(1.2 * 127.5)).all()


def test_cameras_keep_the_azimuths_of_training():
    generator = known(ball(0.3), azimuth_deg=(-30.0, 60.0), elevation_deg=(10.0, 10.0))
    field_mesh(generator, LATENT, 32)
    directions = generator.colour.seen[2].numpy()
    azimuth = np.degrees(np.arctan2(directions[:, 0], -directions[:, 1]))
    assert azimuth.min() > -30 - 10 and azimuth.max() < 60 + 10  # a camera 2.9 away sees a vertex 0.3 off the middle
    assert azimuth.min() < -20 and azimuth.max() > 50


@pytest.mark.parametrize("keys", [{}, PLANES], ids=["mlp", "planes"])
def test_the_appearance_code_moves_colours_alone(keys):
    generator = generator_of(**keys)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    repainted, reshaped = LATENT.clone(), LATENT.clone()
    repainted[6:11] += 2
    reshaped[:6] += 3
    with torch.inference_mode():
        found, painted, other = (field_mesh(generator, latent, 32) for latent in (LATENT, repainted, reshaped))
    assert np.array_equal(found.mesh.vertices, painted.mesh.vertices)
    assert np.array_equal(found.mesh.faces, painted.mesh.faces)
    assert not np.array_equal(found.colours, painted.colours)
    assert np.array_equal(field_colours(generator, repainted, found.mesh), painted.colours)
    assert is_closed(found.mesh) and not np.array_equal(found.mesh.vertices, other.mesh.vertices)


def test_loose_parts_are_left_out_when_told():
    generator = known(either(ball(0.2, (-0.2, 0, 0)), ball(0.1, (0.3, 0, 0))))
    whole, largest = (field_mesh(generator, LATENT, 32, largest_part=told) for told in (False, True))
    assert components(whole.mesh)[0] == 2 and not whole.dropped
    assert components(largest.mesh)[0] == 1 and largest.dropped.parts == 1
    assert np.array_equal(largest.mesh.vertices, keep_largest(whole.mesh)[0].vertices)
    assert len(largest.colours) == len(largest.mesh.vertices) < len(whole.colours)


class Cloud(nn.Module):
    """A density in place of GRAF's: 100 in the middle and falling, above 40 within 0.3."""

    def forward(self, positions, directions, shape, appearance, owner=None):
        return 100 - 200 * positions.norm(dim=2), torch.tanh(appearance[:, None, :3] + 0 * positions)


def test_a_density_has_a_level_of_its_own():
    """8 samples: 0.5 is a density of 8 ln 2, which lies at r = (100 - 8 ln 2) / 200."""
    generator = generator_of("graf-tiny")
    generator.field = Cloud()
    found = field_mesh(generator, LATENT, 64)
    radii = np.linalg.norm(found.mesh.vertices, axis=1)
    assert is_closed(found.mesh) and np.abs(radii - (100 - 8 * np.log(2)) / 200).max() < 1e-3
    assert (found.colours == np.round((np.tanh(LATENT[6:9].numpy()) + 1) * 127.5)).all()


@pytest.mark.parametrize("make, resolution, level, line", [
    (lambda: known(ball(0.3)), 100, 0.5, "resolution must be a multiple of 16 from 16 to 512, got 100"),
    (lambda: known(ball(0.3)), 528, 0.5, "resolution must be a multiple of 16 from 16 to 512, got 528"),
    (lambda: known(ball(0.3)), 32, 1.0, "level must lie between 0 and 1, got 1.0"),
    (lambda: known(lambda at: 0 * at[:, 0] - np.log(4)), 32, 0.5, "the sample has no surface: its occupancy reaches "
     "0.5 nowhere, the highest is 0.2; train it longer, or try another seed or a lower level"),
    (lambda: known(lambda at: 0 * at[:, 0] + 1), 32, 0.5, "the sample has no surface: its occupancy is above 0.5 in "
     "the whole cube; train it longer, or try another seed"),
    (lambda: known(lambda at: at[:, 0] / 0), 32, 0.5, "the field has values that are not finite; the model's training "
     "diverged"),
    (lambda: known(ball(0.3), lambda at, *_: at / 0), 32, 0.5, "the field has colours that are not finite; the model's "
     "training diverged"),
])
def test_what_cannot_be_is_one_clear_line(make, resolution, level, line):
    with pytest.raises(UserError) as caught:
        field_mesh(make(), LATENT, resolution, level)
    assert str(caught.value) == line


def test_an_untrained_graf_has_no_surface():
    with pytest.raises(UserError, match="its density reaches 5.55 nowhere, the highest is 0"):
        field_mesh(generator_of("graf-tiny"), LATENT, 32)
    with pytest.raises(TypeError, match="PatchCritic has no field to take a mesh of"):
        system = SYSTEMS["graf"](recipes.load("graf-tiny").model)
        system.nets["critic"].config = system.config
        field_mesh(system.nets["critic"], LATENT, 32)
