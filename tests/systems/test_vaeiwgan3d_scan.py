"""The 3D-VAE-IWGAN from a scan against its paper: parameters, the table of updates, losses by hand, what each moves."""

import copy

import pytest
import torch

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.nets.volume import from_cells, to_cells
from maquette.recipe import OptimRecipe, Recipe, TrainRecipe
from maquette.systems import SYSTEMS, Batch, check_phases
from maquette.systems.vaeiwgan3d import VAEIWGAN3DScan, VAEIWGAN3DScanConfig
from maquette.training.distributed import Engine
from maquette.training.phases import run_phase

SMALL = {"generator_channels": (8, 8, 4, 4), "critic_channels": (4, 4, 8, 8), "encoder_channels": (4, 4, 8, 8),
         "latent": 6}


def a_batch() -> Batch:
    noise = torch.Generator().manual_seed(1)
    voxels, scans = ((torch.rand(4, 1, 32, 32, 32, generator=noise) < share).float() for share in (0.2, 0.02))
    return Batch(voxels, seed=1, labels=torch.tensor([0, 1, 0, 1]), scans=scans)


def test_the_encoder_has_the_papers_parameters():
    """By hand: 4^3 kernels 1-32-64-128-256 without bias, with batch norm; 2^3 places of 256 to 200 means, 200 more."""
    encoder = VAEIWGAN3DScan(VAEIWGAN3DScanConfig()).nets["encoder"]
    kernels = 64 * (32 + 32 * 64 + 64 * 128 + 128 * 256)
    expected = kernels + 2 * (32 + 64 + 128 + 256) + 256 * 8 * 400 + 400
    assert sum(p.numel() for p in encoder.parameters()) == expected
    layers = [type(layer).__name__ for layer in encoder.layers]
    assert layers == ["Conv3d", "BatchNorm3d", "LeakyReLU"] * 4 and encoder.layers[2].negative_slope == 0.2


@pytest.mark.parametrize("resolution", [20, 32, 64])
@pytest.mark.parametrize("generator", ["paper", "subvoxel"])
def test_shapes_at_every_resolution(resolution, generator):
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(resolution=resolution, generator=generator, **SMALL))
    check_phases(system)
    system.nets.eval()
    with torch.no_grad():
        scans = torch.zeros(2, 1, *[resolution] * 3)
        assert system.encode(scans).shape == (2, 6)
        made = system.reconstruct(scans)
    assert made.shape == scans.shape and 0 <= made.min() and made.max() <= 1
    assert system.nets["critic"](made).shape == (2,)


def test_the_table_is_the_papers_and_what_it_reads_are_scans():
    system = SYSTEMS["vae-iwgan-scan"](VAEIWGAN3DScanConfig(**SMALL))
    table = [(p.name, p.trains, p.every) for p in system.phases()]
    assert table == [("critic", ("critic",), 1), ("encoder", ("encoder",), 1), ("generator", ("generator",), 5)]
    assert system.reads is Reads.SCANS and system.reads is not Reads.VIEWS and not system.needs_poses()
    assert system.averaged() == ("encoder", "generator")
    joint = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL, joint=True))
    table = [(p.name, p.trains) for p in joint.phases()]
    assert table == [("autoencoder", ("encoder", "generator")), ("critic", ("critic",))]
    defaults = VAEIWGAN3DScanConfig()
    assert (defaults.latent, defaults.penalty_weight, defaults.critic_steps, defaults.reconstruction_weight) == (
        200,
        10,
        5,
        100,
    )


SKIPS = {"joint": True, "generator": "subvoxel", "skips": True, "latent_weight": 0.25}


def test_cells_and_back():
    grid = torch.rand(2, 1, 12, 12, 12)
    assert torch.equal(from_cells(to_cells(grid)), grid)
    assert torch.equal(to_cells(grid)[1, :, 0, 2, 1], grid[1, 0, 0:4, 8:12, 4:8].flatten())


@pytest.mark.parametrize("resolution", [20, 32, 64])
def test_a_correction_starts_at_nothing_and_reaches_each_cell_from_its_own_scan(resolution):
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL | SKIPS, resolution=resolution))
    assert system.averaged() == ("encoder", "generator", "skips")
    system.nets.eval()
    scans = torch.zeros(2, 1, *[resolution] * 3)
    scans[1, 0, 5, 6, 7] = 1
    with torch.no_grad():
        assert torch.equal(system.reconstruct(scans), system.generate(system.encode(scans)))
        last = system.nets["skips"].layers[-1]
        torch.nn.init.ones_(last.weight)
        cells = torch.zeros(2, system.nets["generator"].cell_channels, *[resolution // 4] * 3)
        maps = torch.zeros(2, SMALL["encoder_channels"][1], *[resolution // 4] * 3)
        more = system.nets["skips"](cells, maps, scans)
    changed = (more[0] != more[1])[0].nonzero()
    assert len(changed) and changed.min() >= 0 and changed.max() < 12  # the cell 1, 1, 1 and those beside it


def test_the_terms_of_a_corrected_completion():
    """With the correction at nothing both reconstructions are one, and the latent's weighs a quarter."""
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL | SKIPS, adversarial=0.0))
    batch = a_batch()
    terms = system.autoencoder_loss(system.nets, batch, 0).minimised
    assert set(terms) == {"skips", "kl", "reconstruction"}
    assert terms["reconstruction"].item() == pytest.approx(0.25 * terms["skips"].item(), rel=1e-6)


@pytest.mark.parametrize("keys", [{}, {"joint": True}, SKIPS])
def test_each_phase_moves_only_its_networks(keys):
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL, **keys))
    recipe = Recipe(system.name, system.config, optim=OptimRecipe(lr=0.01), train=TrainRecipe(precision="fp32"))
    optimisers = {name: torch.optim.Adam(net.parameters(), 0.01) for name, net in system.nets.items()}
    batch = a_batch()
    for phase in system.phases():
        before = {name: copy.deepcopy(list(net.parameters())) for name, net in system.nets.items()}
        run_phase(phase, system, [batch], optimisers, recipe.optim, Engine(recipe.train))
        for name, net in system.nets.items():
            changed = any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True))
            assert changed == (name in phase.trains), (phase.name, name)


def test_losses_by_hand():
    """All means, log-variances, logits and scores 0: KL 0, each voxel half wrong, sqrt(32^3) / 2 in all; 100 times."""
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL))
    for last in (system.nets["encoder"].linear, system.nets["generator"].layers[-1], system.nets["critic"].linear):
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
    batch, half = a_batch(), 32**1.5 / 2
    terms = system.encoder_loss(system.nets, batch, 0).minimised
    assert terms["kl"] == 0 and terms["reconstruction"].item() == pytest.approx(half, rel=1e-5)
    terms = system.generator_loss(system.nets, batch, 0).minimised
    assert terms["adversarial"] == 0 and terms["reconstruction"].item() == pytest.approx(100 * half, rel=1e-5)
    terms = system.critic_loss(system.nets, batch, 0).minimised
    assert terms["wasserstein"] == 0 and terms["penalty"].item() == pytest.approx(10, rel=1e-5)


def test_the_encoder_hears_of_the_scan_alone():
    system = VAEIWGAN3DScan(VAEIWGAN3DScanConfig(**SMALL))
    system.nets.eval()
    one, other, same = a_batch(), a_batch(), a_batch()
    other.scans, same.images = 1 - other.scans, torch.rand(4, 1, 32, 32)
    losses = [system.encoder_loss(system.nets, batch, 0).total().item() for batch in (one, other, same)]
    assert losses[0] == losses[2] != losses[1]


def test_contradictory_configs_are_refused():
    for keys, says in (({"encoder_channels": ()}, "encoder_channels must be 1 or more values, got nothing"),
                       ({"encoder_channels": (8, 8)}, "encoder_channels must be 3 widths or more, got 2"),
                       ({"skips": True}, "model.skips needs the joint form and the subvoxel generator"),
                       ({"latent_weight": -1.0}, "model.latent_weight must be 0 or more"),
                       ({"prior": "class"}, "model.prior 'class' needs the joint form"),
                       ({"critic_fraction": 0.0}, "model.critic_fraction must be above 0"),
                       ({"critic_start": 3, "adversarial_start": 2}, "critic_start must not come after"),
                       ({"resolution": 20, "generator_channels": (8,)}, "3 widths or more at 20 voxels, got 1")):
        with pytest.raises(UserError, match=says):
            VAEIWGAN3DScanConfig(**keys)
