"""The image WGAN-GP against its paper and by hand: sizes, parameters, updates, losses, and what was added to it."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.nets.augment import DRAWS
from maquette.nets.image_layers import PixelNorm
from maquette.recipe import OptimRecipe, Recipe, TrainRecipe
from maquette.systems.base import Batch
from maquette.systems.wgan_gp import WGANGP, WGANGPConfig, first_grid
from maquette.training.distributed import Engine
from maquette.training.monitor.memory import Alive, count
from maquette.training.phases import run_phase

SMALL = {"height": 16, "width": 32, "latent": 5, "features": 3, "most_features": 6}
PLUS = {**SMALL, "up": "blur", "generator_norm": "pixel", "critic_norm": "none", "equalised": True}


def system_of(seed: int = 0, **keys) -> WGANGP:
    torch.manual_seed(seed)
    return WGANGP(WGANGPConfig(**keys))


def a_batch(system, size: int = 4, seed: int = 1, **more) -> Batch:
    config = system.config
    noise = torch.Generator().manual_seed(seed)
    images = torch.rand(size, config.channels, config.height, config.width, generator=noise) * 2 - 1
    return Batch(None, images, seed, **more)


def parameters(net) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("height, width, grid", [
    (256, 256, (4, 4, 6)), (512, 512, (4, 4, 7)), (287, 508, (9, 16, 5)), (1080, 1920, (9, 15, 7)),
    (128, 256, (4, 8, 5)), (8, 8, (4, 4, 1)), (4096, 512, (32, 4, 7)),
])
def test_the_first_grid_has_the_aspect(height, width, grid):
    assert first_grid(height, width) == grid


def sizes():
    rng = np.random.default_rng(0)
    some = [(256, 256), (512, 512), (287, 508), (1080, 1920), (8, 64)]
    return some + [tuple(int(side) for side in rng.integers(24, 180, 2)) for _ in range(6)]


@pytest.mark.parametrize("height, width", sizes())
@pytest.mark.parametrize("up", ["transposed", "blur"])
def test_images_have_exactly_the_size_asked_for(height, width, up):
    system = system_of(height=height, width=width, features=1, most_features=2, latent=2, up=up)
    with torch.no_grad():
        made = system.nets.eval()["generator"](torch.randn(2, 2))
        assert made.shape == (2, 1, height, width) and made.dtype == torch.float32 and made.abs().max() <= 1
        assert system.nets["critic"](made).shape == (2,)


def test_colour_and_the_dental_kernels():
    colour = system_of(**{**SMALL, "channels": 3, "up": "resize"})
    made = colour.generate(torch.randn(2, 5))
    assert made.shape == (2, 3, 16, 32) and colour.nets["critic"](made).shape == (2,)
    dental = system_of(height=287, width=508, kernels="dental", features=1, most_features=2, latent=2)
    with torch.no_grad():
        made = dental.generate(torch.randn(2, 2))
        assert made.shape == (2, 1, 287, 508) and dental.nets["critic"](made).shape == (2,)
    kernels = [m.kernel_size for m in dental.nets.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert sorted(set(kernels)) == [(4, 2), (4, 4), (33, 1)], "the project's odd kernels, each in both networks"
    assert [kernels.count(kernel) for kernel in ((4, 2), (33, 1))] == [2, 2]


def test_the_baseline_has_the_parameters_of_its_layers():
    """By hand, 64 features: 4x4 kernels without bias between norms (scale and shift), bias at the outer ends."""
    nets = WGANGP(WGANGPConfig()).nets
    inner = 2 * 512 * 512 + 512 * 256 + 256 * 128 + 128 * 64
    assert parameters(nets["generator"]) == (
        100 * 512 * 16 + 16 * (inner + 64) + 1 + 2 * (3 * 512 + 256 + 128 + 64))
    assert parameters(nets["critic"]) == 16 * (64 + inner) + 64 + 2 * (128 + 256 + 3 * 512) + 512 * 16 + 1
    nets = WGANGP(WGANGPConfig(height=287, width=508, kernels="dental")).nets
    inner += 512 * 512
    assert parameters(nets["generator"]) == (
        100 * 512 * 16 + 16 * inner + 8 * 64 * 64 + 33 * 64 + 1 + 2 * (4 * 512 + 256 + 128 + 64 + 64))
    assert parameters(nets["critic"]) == (
        33 * 64 + 64 + 8 * 64 * 64 + 16 * inner + 2 * (64 + 128 + 256 + 4 * 512) + 512 * 16 + 1)
    drawn = nets["generator"].linear.weight
    assert drawn.mean().abs() < 1e-3 and drawn.std().item() == pytest.approx(0.02, rel=0.01)


def test_the_table_is_the_papers():
    for steps in (5, 3):
        table = [(p.name, p.trains, p.every) for p in system_of(**SMALL, critic_steps=steps).phases()]
        assert table == [("critic", ("critic",), 1), ("generator", ("generator",), steps)]


@pytest.mark.parametrize("keys", [SMALL, {**PLUS, "augment": "diffaugment", "checkpointing": True}])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_phase_moves_only_its_network(keys, precision):
    system = system_of(**keys)
    recipe = Recipe(system.name, system.config, optim=OptimRecipe(), train=TrainRecipe(precision=precision))
    engine = Engine(recipe.train)
    engine.place(system.nets)
    optimisers = {name: torch.optim.Adam(net.parameters(), 0.01) for name, net in system.nets.items()}
    for phase in system.phases():
        before = {name: copy.deepcopy(list(net.parameters())) for name, net in system.nets.items()}
        terms = run_phase(phase, system, [a_batch(system)], optimisers, recipe.optim, engine)
        assert all(term.isfinite() for term in terms.values())
        for name, net in system.nets.items():
            changed = [not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True)]
            assert any(changed) == (name in phase.trains), (phase.name, name)


class Sum(nn.Module):
    """A tenth of the sum of the values."""

    def forward(self, images):
        return 0.1 * images.flatten(1).sum(1)


class Gives(nn.Module):
    """One tensor, whatever the latents; remembers them."""

    def __init__(self, images=None):
        super().__init__()
        self.images, self.asked = images, []

    def forward(self, latents):
        self.asked.append(latents)
        return self.images


def test_losses_by_hand():
    """Real images of 1 and fakes of 0.5 under a critic that sums: fake - real + 10 (0.1 sqrt(N) - 1)^2."""
    system = system_of(**SMALL)
    system.nets["critic"], system.nets["generator"] = Sum(), Gives(torch.full((2, 1, 16, 32), 0.5))
    terms = system.critic_loss(system.nets, Batch(None, torch.ones(2, 1, 16, 32)), 0)
    assert terms.minimised["wasserstein"].item() == pytest.approx(0.1 * 512 * (0.5 - 1), rel=1e-6)
    assert terms.minimised["penalty"].item() == pytest.approx(10 * (0.1 * math.sqrt(512) - 1) ** 2, rel=1e-5)
    made = system.generator_loss(system.nets, Batch(None, torch.ones(2, 1, 16, 32)), 0)
    assert made.total().item() == pytest.approx(-0.1 * 512 * 0.5, rel=1e-6)
    system.config = dataclasses.replace(system.config, penalty_interval=3)
    on, off = (system.critic_loss(system.nets, Batch(None, torch.ones(2, 1, 16, 32)), step) for step in (3, 4))
    assert "penalty" not in off.minimised
    assert on.minimised["penalty"].item() == pytest.approx(3 * terms.minimised["penalty"].item(), rel=1e-6)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_penalty_is_that_of_each_image_alone(checkpointing):
    """Value and gradients against one Jacobian an image, with a critic that has instance norm."""
    system = system_of(**SMALL, checkpointing=checkpointing)
    twin, critic = a_batch(system), system.nets["critic"]
    with torch.no_grad():
        fake = system.nets["generator"](twin.normal(4, 5))
    mix = twin.uniform(4)
    alone = torch.zeros(())
    for i in range(4):
        between = mix[i] * twin.images[i : i + 1] + (1 - mix[i]) * fake[i : i + 1]
        slope = torch.autograd.functional.jacobian(lambda x: critic(x).sum(), between, create_graph=True)
        alone = alone + 10 * (slope.square().sum().sqrt() - 1) ** 2 / 4
    expected = torch.autograd.grad(alone, list(critic.parameters()), allow_unused=True)
    penalty = system.critic_loss(system.nets, a_batch(system), 0).minimised["penalty"]
    assert penalty.item() == pytest.approx(alone.item(), rel=1e-5)
    found = torch.autograd.grad(penalty, list(critic.parameters()), allow_unused=True)
    for a, b in zip(expected, found, strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, rtol=1e-3, atol=1e-5)
    assert sum(b is not None and b.abs().max() > 1e-6 for b in found) >= 4


@pytest.mark.parametrize("keys", [SMALL, PLUS])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_checkpointing_changes_no_gradient_and_no_statistic(keys, precision):
    found = []
    for checkpointing in (False, True):
        system = system_of(**keys, checkpointing=checkpointing)
        engine = Engine(TrainRecipe(precision=precision))
        for loss in (system.critic_loss, system.generator_loss):
            with engine.autocast():
                terms = loss(system.nets, a_batch(system), 0)
            terms.total().backward()
        found.append((dict(system.nets.named_parameters()), dict(system.nets.named_buffers())))
    (plain, stats), (saved, same_stats) = found
    for name, parameter in plain.items():
        assert torch.allclose(parameter.grad, saved[name].grad, rtol=1e-5, atol=1e-7), name
    assert all(torch.equal(value, same_stats[name]) for name, value in stats.items())
    assert keys is PLUS or stats["generator.first.0.num_batches_tracked"] == 2


def test_checkpointing_keeps_less_and_the_large_recipe_fits_16_gb():
    """Counted, not measured: `maquette.training.monitor.memory`. What lies there between steps is known in closed
    form."""
    alive = Alive()
    with alive:
        a = torch.zeros(1000)
        b = a * 2
        assert alive.now == 8000
        view = b[:10]
        del a, b
        assert alive.now == 4000 and alive.peak == 8000, "a view keeps all of it"
        del view
        assert alive.now == 0
    recipe = recipes.load("wgan-gp-plus-512")
    assert (recipe.model.features, recipe.model.height, recipe.model.width) == (128, 512, 512)
    assert recipe.train.batch == 32 and recipe.train.precision == "bf16" and recipe.model.checkpointing
    found = count(recipe)
    assert found.most < 16e9
    with torch.device("meta"):
        nets = WGANGP(recipe.model).nets
    weights = 3 * parameters(nets) + parameters(nets["generator"])  # themselves, two moments, the average
    assert found.kept == pytest.approx(4 * (weights + 2 * 32 * 512 * 512), rel=1e-3), "a batch and a held-out one"
    plain = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, checkpointing=False))
    kept_all = count(plain).phases
    assert kept_all["generator"] > 1.4 * found.phases["generator"] and kept_all["critic"] > found.phases["critic"]
    with pytest.raises(UserError, match="memory is counted for systems that make images, not for iwgan"):
        count(recipes.load("iwgan-tiny"))


def test_fresh_latents_or_one_batch_for_all_critic_steps_and_the_generators():
    latents = {}
    for fresh in (True, False):
        system = system_of(**SMALL, critic_steps=3, fresh_noise=fresh)
        gives = system.nets["generator"] = Gives(torch.zeros(4, 1, 16, 32))
        for step in range(5):
            batch = a_batch(system, seed=step, run=7)
            for phase in system.phases():
                if phase.runs_at(step):
                    phase.loss(system.nets, batch, step)
        latents[fresh] = gives.asked
    first, again, *rest = latents[False]  # steps 0 (both phases), 1, 2, 3 (both), 4
    assert torch.equal(first, again) and not torch.equal(again, rest[0])
    assert all(torch.equal(rest[0], same) for same in rest[1:4]) and not torch.equal(rest[3], rest[4])
    flat = torch.stack(latents[True])
    assert len(flat) == 7 and torch.pdist(flat.flatten(1)).min() > 0.1
    whole = a_batch(system, run=7)
    parts = [part.shared_normal(2, 2, 5) for part in whole.cut(2)]
    assert torch.equal(torch.cat(parts), whole.shared_normal(2, 4, 5))
    other = a_batch(system, run=8).shared_normal(2, 4, 5)
    assert not torch.equal(other, whole.shared_normal(2, 4, 5))


def test_real_and_made_images_are_varied_alike():
    """Made images equal to the real ones cannot be told apart, so the critic's gap is exactly 0."""
    system = system_of(**PLUS, augment="diffaugment")
    batch = a_batch(system)
    system.nets["generator"] = Gives(batch.images)
    seen = []
    system.nets["critic"].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    terms = system.critic_loss(system.nets, batch, 0)
    assert terms.minimised["wasserstein"].item() == 0
    assert torch.equal(*seen[0].chunk(2)) and not torch.allclose(seen[0][:4], batch.images, atol=0.1)


@pytest.mark.parametrize("target, expected", [(0.4, [0.016, 0.032]), (0.6, [0.0, 0.0])])
def test_the_adaptive_probability_follows_the_held_out_images(target, expected):
    """Scores of 1 for real, 0 for held-out and -1 for made images: half of the gap is known by heart."""
    system = system_of(**PLUS, augment="adaptive", augment_target=target, augment_images=1000)
    assert [step for step in range(9) if system.wants_held_out(step)] == [0, 4, 8]
    assert not system_of(**PLUS).wants_held_out(0)

    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("adaptive", torch.zeros(3))

        def forward(self, images):
            return images.mean((1, 2, 3)).sign()

    system.nets["critic"] = critic = Mean()
    system.nets["generator"] = Gives(torch.full((4, 1, 16, 32), -1.0))
    for value in expected:
        batch = Batch(None, torch.ones(4, 1, 16, 32), 0, held_out=torch.zeros(4, 1, 16, 32))
        draws = batch.uniform  # light would move the held-out images off 0: chosen by no draw
        batch.uniform = lambda *shape, draws=draws: torch.ones(shape) if shape[-1] == DRAWS else draws(*shape)
        system.config = dataclasses.replace(system.config, penalty_weight=0.0)
        terms = system.critic_loss(system.nets, batch, 0)
        assert critic.adaptive[0].item() == pytest.approx(value)
        assert terms.watched["augment_probability"].item() == pytest.approx(value)
        assert (critic.adaptive[1] / critic.adaptive[2]).item() == pytest.approx(0.5)
    assert "critic.adaptive" in system_of(**PLUS, augment="adaptive").nets.state_dict(), "kept in checkpoints"


def test_the_adaptive_probability_moves_as_fast_on_two_processes_and_in_parts():
    """A step of 8 images moves it by 4 * 8 / 1000, however they are divided."""
    moved = {}
    for processes, accumulate in ((1, 1), (2, 1), (2, 2), (1, 2)):
        system = system_of(**PLUS, augment="adaptive", augment_target=0.0, augment_images=1000)
        critic, size = system.nets["critic"], 8 // processes
        ones = torch.ones(size, 1, 16, 32)
        batch = Batch(None, ones, part=(0, processes), processes=processes, held_out=ones)
        for part in batch.cut(accumulate):
            part.normal(1)
            critic.adaptive[1:] = torch.tensor([1e6, 1e6])  # far too sure, whatever these images say
            system._adapt(system.nets, part, {"score_real": torch.zeros(()), "score_fake": torch.zeros(())})
        moved[processes, accumulate] = critic.adaptive[0].item()
    assert all(value == pytest.approx(4 * 8 / 1000) for value in moved.values()), moved


def test_a_last_layer_at_full_size_makes_the_image_of_its_own_features():
    """With its weights on one feature and one place the image is that feature; edges are replicated."""
    generator = system_of(**PLUS, padding="replicate", last_features=3).nets["generator"]
    latents = torch.randn(3, 5)
    *doublings, last = generator.stages
    assert len(doublings) == 2 and last.weight.shape == (1, 3, 3, 3)
    with torch.no_grad():
        features = generator.first(generator.linear(PixelNorm()(latents)).view(-1, *generator.grid))
        for stage in doublings:
            features = stage(features)
        assert features.shape == (3, 3, 16, 32)
        last.bias.zero_()
        weight = last.parametrizations.weight.original.zero_()
        weight[0, 1, 1, 0] = 1
        left = torch.cat([features[:, 1:2, :, :1], features[:, 1:2, :, :-1]], 3)
        assert torch.allclose(generator(latents), (left / math.sqrt(27)).tanh(), atol=1e-6)


def test_the_generators_slope():
    kinds = [type(module) for module in system_of(**PLUS, generator_slope=0.2).nets["generator"].modules()]
    assert kinds.count(nn.LeakyReLU) == 2 and nn.ReLU not in kinds
    assert nn.LeakyReLU not in [type(module) for module in system_of(**PLUS).nets["generator"].modules()]


@pytest.mark.parametrize("keys, line", [
    ({"height": 7}, "model.height must be from 8 to 4096, got 7"),
    ({"width": 5000}, "model.width must be from 8 to 4096, got 5000"),
    ({"height": 32, "width": 257},
     "the longer of model.width and model.height must be at most 8 times the shorter, got 257x32"),
    ({"kernels": "dental"},
     "model.kernels 'dental' makes 508x287 with model.up transposed, got 256x256 and transposed; set model.kernels "
     "even"),
    ({"kernels": "dental", "height": 287, "width": 508, "up": "blur"},
     "model.kernels 'dental' makes 508x287 with model.up transposed, got 508x287 and blur; set model.kernels even"),
    ({"padding": "replicate"},
     "model.padding 'replicate' is not for transposed convolutions, got model.up transposed; set model.up blur, or "
     "resize"),
    ({"kernels": "dental", "height": 287, "width": 508, "last_features": 4},
     "model.last_features needs grids that double, got model.kernels dental; set model.kernels even"),
    ({"generator_slope": -0.1}, "model.generator_slope must be from 0 to 1, got -0.1"),
    ({"features": 0}, "model.features must be positive, got 0"),
    ({"augment_target": 1.5}, "model.augment_target must be from 0 to 1, got 1.5"),
])
def test_keys_that_cannot_be(keys, line):
    with pytest.raises(UserError) as caught:
        WGANGPConfig(**keys)
    assert str(caught.value) == line


def test_images_are_not_mirrored_unless_it_is_asked_for():
    """Radiographs have sides."""
    for given, flips in (({}, False), ({"data": {"validation": 0.2}}, False), ({"data": {"flip": True}}, True)):
        assert recipes.from_tree({"system": "wgan-gp", "model": {}, **given}, "here").data.flip == flips
    assert recipes.from_tree({"system": "iwgan", "model": {}}, "here").data.flip is True
