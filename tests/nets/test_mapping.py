"""Draws through classes, the bank that they are made from, and training with a mapping in front of the generator."""

import copy
from types import SimpleNamespace

import pytest
import torch

from maquette.configs import VAEIWGAN3DConfig
from maquette.errors import UserError
from maquette.hub import Model
from maquette.latent import prior
from maquette.nets.mapping import Bank, Mapping, through_classes
from maquette.recipe import OptimRecipe, Recipe, TrainRecipe
from maquette.systems import Batch, check_phases
from maquette.systems.vaeiwgan3d import VAEIWGAN3D
from maquette.train import loop
from maquette.train.engine import Engine

KEYS = {"generator_channels": (8, 8, 4, 4), "critic_channels": (4, 4, 8, 8), "latent": 6, "encoder": "residual",
        "image_channels": 1, "image_size": 32, "encoder_widths": (4, 8), "encoder_blocks": (1, 1), "joint": True,
        "prior": "class", "mapping": True, "critic_from": 2, "adversarial_from": 4, "critic_steps": 2}


def a_batch(seed: int) -> Batch:
    noise = torch.Generator().manual_seed(seed)
    voxels = (torch.rand(4, 1, 32, 32, 32, generator=noise) < 0.2).float()
    return Batch(voxels, torch.rand(4, 1, 32, 32, generator=noise), seed, torch.tensor([0, 1, 0, 1]))


def test_draws_come_from_each_classes_own_gaussian():
    noise = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 40 + [1] * 40 + [2])
    latents = torch.randn(81, 3, generator=noise) * torch.tensor([0.1, 1.0, 3.0])
    latents[:40] += 10
    latents[80] = -50
    wanted = torch.tensor([0, 1, 2]).repeat_interleave(8000)
    draws = through_classes(latents, labels, wanted, torch.randn(24000, 81, generator=noise))
    for kind, rows in ((0, slice(0, 40)), (1, slice(40, 80))):
        mine, theirs = draws[wanted == kind], latents[rows]
        assert torch.allclose(mine.mean(0), theirs.mean(0), atol=0.1)
        assert torch.allclose(mine.T.cov(), theirs.T.cov(), atol=0.35)
    assert torch.allclose(draws[wanted == 2], latents[80], atol=1e-4), "a class of one gives its member"


def test_a_bank_is_a_ring_and_draws_classes_as_often_as_it_holds_them():
    bank = Bank(2, size=8)
    with pytest.raises(ValueError, match="empty"):
        bank.draw(torch.rand(1), torch.randn(1, 8))
    for turn in range(3):
        bank.keep(turn, torch.full((3, 2), float(turn)), torch.tensor([turn, turn, turn]))
        assert bank.is_full(turn + 1, 3) == (turn == 2)
    assert bank.labels.tolist() == [2, 0, 0, 1, 1, 1, 2, 2], "the ninth takes the place of the first"
    pick = torch.linspace(0, 0.9999, 8000)
    drawn = bank.draw(pick, torch.zeros(8000, 8))
    assert [int((drawn == value).all(1).sum()) for value in (0.0, 1.0, 2.0)] == [2000, 3000, 3000]


def test_a_mapping_changes_nothing_until_it_has_learnt():
    latents = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Mapping(7)(latents), latents)


def test_with_a_mapping_encoder_and_generator_end_where_the_critic_begins(tmp_path):
    torch.manual_seed(0)
    system = VAEIWGAN3D(VAEIWGAN3DConfig(**KEYS))
    check_phases(system)
    recipe = Recipe("vae-iwgan-image", model=system.config, optim=OptimRecipe(lr=1e-3, critic_lr=1e-2),
                    train=TrainRecipe(batch=4, precision="fp32"))
    trainer = loop.Trainer(system, recipe, tmp_path, Engine(recipe.train))
    system.nets.train()
    moved = []
    for step in range(7):
        before = copy.deepcopy(system.nets.state_dict())
        trainer.step(step, a_batch(step))
        after = system.nets.state_dict()
        moved.append({name.split(".")[0] for name in after if not torch.equal(after[name], before[name])})
    assert moved[:2] == [{"encoder", "generator"}] * 2
    assert moved[2:] == [{"bank", "critic"}, {"bank", "critic"}, {"bank", "critic", "mapping"}, {"bank", "critic"},
                         {"bank", "critic", "mapping"}], "batch-norm statistics stay as well"
    assert system.nets["bank"].taken == 20
    assert system.nets["generator"].training and system.nets["encoder"].training
    assert "mapping" in system.averaged() and not {"bank", "critic"} & set(system.kept())


def test_a_model_draws_through_its_mapping():
    system = VAEIWGAN3D(VAEIWGAN3DConfig(**KEYS))
    latents = {"mean": torch.ones(1, 6), "factor": torch.zeros(1, 2, 6), "rest": torch.zeros(1, 6)}
    model = Model("m", system, {"labels": ["chair"]}, latents)
    assert torch.equal(prior.draw(model, 3), torch.ones(6))
    torch.nn.init.constant_(system.nets["mapping"].layers[-1].bias, 0.25)
    assert torch.equal(prior.draw(model, 3), torch.full((6,), 1.25))
    assert torch.equal(prior.draw(model, 3, kind="chair"), torch.full((6,), 1.25))


def test_processes_keep_their_banks_apart():
    """A stand-in for the messages of two processes: the other one has zeros everywhere."""
    engine = SimpleNamespace(world=2, _sharded=set(),
                             fabric=SimpleNamespace(all_reduce=lambda values, reduce_op: values / 2))
    nets = torch.nn.ModuleDict({"bank": Bank(2, size=2), "norm": torch.nn.BatchNorm1d(2)})
    nets["bank"].keep(0, torch.ones(2, 2), torch.zeros(2, dtype=torch.long))
    Engine.average(engine, nets, ())
    assert torch.equal(nets["bank"].latents, torch.ones(2, 2))
    assert torch.equal(nets["norm"].running_var, torch.full((2,), 0.5))


@pytest.mark.parametrize("change", [{"joint": False, "prior": "normal"}, {"prior": "normal"}, {"adversarial": 0.0}])
def test_a_mapping_needs_what_it_is_taught_by(change):
    with pytest.raises(UserError, match="mapping"):
        VAEIWGAN3DConfig(**{**KEYS, **change})
