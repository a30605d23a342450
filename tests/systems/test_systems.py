"""The systems against their papers: parameters, shapes, the table of updates, and which weights each phase moves."""

import ast
import copy
import dataclasses
import inspect
import itertools
import math

import pytest
import torch
from boxes import job
from typed import refused

from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.nets.volume import SubvoxelGenerator
from maquette.recipe import OptimRecipe, Recipe, TrainRecipe
from maquette.systems import SYSTEMS, Batch, Phase, Terms, check_phases
from maquette.systems.gan3d import GAN3D, GAN3DConfig
from maquette.systems.iwgan3d import IWGAN3D, IWGAN3DConfig
from maquette.systems.losses import kl_to_standard_normal
from maquette.systems.vaegan3d import VAEGAN3D, VAEGAN3DConfig
from maquette.systems.vaeiwgan3d import VAEIWGAN3DImage, VAEIWGAN3DImageConfig, class_prior
from maquette.training.distributed import Engine
from maquette.training.phases import run_phase

SMALL = {"generator_channels": (8, 8, 4, 4), "critic_channels": (4, 4, 8, 8), "latent": 6}
SMALL_IMAGE = {**SMALL, "encoder": "residual", "image_channels": 1, "view_size": 32,
               "encoder_widths": (4, 8), "encoder_blocks": (1, 1)}



def parameters(net) -> int:
    return sum(p.numel() for p in net.parameters())


def test_iwgan_has_the_papers_parameters():
    """By hand: 200*2048+2048; transposed 4^3 kernels 256-128-64-32 without bias, with batch norm; the last with
    bias.
    """
    nets = IWGAN3D(IWGAN3DConfig()).nets
    norms = 2 * (256 + 128 + 64 + 32)
    generator = 200 * 2048 + 2048 + 64 * (256 * 128 + 128 * 64 + 64 * 32 + 32) + 1 + norms
    critic = 64 * (32 + 32 * 64 + 64 * 128 + 128 * 256) + (32 + 64 + 128 + 256) + 256 * 8 + 1
    assert parameters(nets["generator"]) == generator
    assert parameters(nets["critic"]) == critic


def test_paper_encoder_has_the_papers_parameters():
    encoder = VAEIWGAN3DImage(VAEIWGAN3DImageConfig()).nets["encoder"]
    kernels = 3 * 64 * 121 + 25 * (64 * 128 + 128 * 256 + 256 * 512)
    last = 512 * 400 * 16 + 400  # strides 4-4-2-2 leave 4x4 places of 256x256
    assert parameters(encoder) == kernels + 2 * (64 + 128 + 256 + 512) + last
    with torch.no_grad():
        mean, log_variance = encoder.eval()(torch.rand(1, 3, 256, 256))
    assert mean.shape == log_variance.shape == (1, 200)


def test_an_encoder_that_is_far_too_unsure_can_come_back():
    """A variance at its bound is pulled inside by the KL; a bound without a gradient would keep it there for good."""
    encoder = VAEIWGAN3DImage(VAEIWGAN3DImageConfig()).nets["encoder"]
    with torch.no_grad():
        encoder.last.bias[200:300], encoder.last.bias[300:] = 1000.0, -1000.0
    mean, log_variance = encoder(torch.rand(2, 3, 256, 256))
    assert log_variance[:, :100].eq(8).all() and log_variance[:, 100:].eq(-12).all()
    kl_to_standard_normal(mean, log_variance).backward()
    slope = encoder.last.bias.grad[200:]
    assert torch.allclose(slope[:100], torch.tensor((math.exp(8) - 1) / 2), rtol=1e-4)
    assert torch.allclose(slope[100:], torch.tensor((math.exp(-12) - 1) / 2), rtol=1e-4)


def test_gan3d_has_the_papers_parameters():
    """By hand: 4^3 kernels 200-512-256-128-64-1 and 1-64-128-256-512-1, batch norm between, bias at the outer ends."""
    nets = GAN3D(GAN3DConfig()).nets
    inner = 512 * 256 + 256 * 128 + 128 * 64
    assert parameters(nets["generator"]) == 64 * (200 * 512 + inner + 64) + 1 + 2 * (512 + 256 + 128 + 64)
    assert parameters(nets["critic"]) == 64 * (64 + inner + 512) + 64 + 1 + 2 * (128 + 256 + 512)
    drawn = nets["generator"].layers[3].weight
    assert drawn.mean().abs() < 1e-3 and drawn.std().item() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("resolution", [32, 64])
@pytest.mark.parametrize("name", ["gan3d", "vae-gan-image"])
def test_mirror_networks_at_every_resolution(name, resolution):
    narrow = {"generator_channels": (16, 8, 8, 4), "critic_channels": (4, 8, 8, 16), "latent": 6}
    system = SYSTEMS[name](SYSTEMS[name].Config(resolution=resolution, **narrow))
    check_phases(system)
    made = system.generate(system.from_normal(torch.randn(2, 6)))
    assert made.shape == (2, 1, resolution, resolution, resolution) and 0 <= made.min() and made.max() <= 1
    assert system.nets["critic"](made).shape == (2,)
    with refused("must be 32 or 64 voxels a side for 3D-GAN's networks, got 20"):
        SYSTEMS[name].Config(resolution=20)


def test_gan3d_losses_by_hand_and_the_80_percent_rule():
    """Logits of 0 are ln 2 apiece and right on nothing; the rule looks at the accuracy of this pass."""
    system = GAN3D(GAN3DConfig(resolution=32, generator_channels=(8, 4, 4), critic_channels=(4, 4, 8), latent=6))
    critic, generator = system.phases()
    assert (critic.trains, critic.every, generator.trains, generator.every) == (("critic",), 1, ("generator",), 1)
    last = system.nets["critic"].layers[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    batch = a_batch(system)
    terms = critic.loss(system.nets, batch, 0)
    assert terms.minimised["discriminator"].item() == pytest.approx(2 * math.log(2), rel=1e-6)
    assert terms.watched["accuracy"] == 0
    adversarial = generator.loss(system.nets, batch, 0).minimised["adversarial"]
    assert adversarial.item() == pytest.approx(math.log(2), rel=1e-6)
    for accuracy, learns in ((0.8, True), (0.81, False)):
        assert critic.step_if(Terms({}, {"accuracy": torch.tensor(accuracy, dtype=torch.float64)})) == learns


def test_gan3d_draws_uniform_latents():
    noise = torch.randn(20000, generator=torch.Generator().manual_seed(0))
    drawn = GAN3D(GAN3DConfig(resolution=32, latent=6)).from_normal(noise)
    assert torch.allclose(drawn.quantile(torch.linspace(0, 1, 11)), torch.linspace(0, 1, 11), atol=0.01)


def test_vaegan3d_weighs_its_terms_as_the_paper_does():
    narrow = {"generator_channels": (8, 4, 4), "critic_channels": (4, 4, 8), "latent": 6, "image_channels": 1}
    system = VAEGAN3D(VAEGAN3DConfig(resolution=32, **narrow))
    assert [(p.name, p.trains, p.every) for p in system.phases()] == [
        ("critic", ("critic",), 1), ("encoder", ("encoder",), 1), ("generator", ("generator",), 1)
    ]
    terms = system.encoder_loss(system.nets, a_batch(system), 0)
    assert terms.minimised["kl"].item() == pytest.approx(5 * terms.watched["kl_nats"].item(), rel=1e-6)
    assert terms.minimised["reconstruction"].item() == pytest.approx(1e-4 * terms.watched["distance"].item(), rel=1e-5)


@pytest.mark.parametrize("resolution", [20, 32, 64])
@pytest.mark.parametrize("name", ["iwgan", "vae-iwgan-image"])
def test_shapes_at_every_resolution(name, resolution):
    small = SMALL_IMAGE if SYSTEMS[name].reads is Reads.VIEWS else SMALL
    system = SYSTEMS[name](SYSTEMS[name].Config(resolution=resolution, **small))
    check_phases(system)
    made = system.generate(torch.randn(2, 6))
    assert made.shape == (2, 1, resolution, resolution, resolution)
    assert 0 <= made.min() and made.max() <= 1
    assert system.nets["critic"](made).shape == (2,)
    if system.reads is Reads.VIEWS:
        assert system.encode(torch.rand(2, 1, 32, 32)).shape == (2, 6)


@pytest.mark.parametrize("resolution", [20, 32, 64])
def test_subvoxel_generator_puts_each_cells_voxels_where_they_belong(resolution):
    net = SubvoxelGenerator(resolution, 4, (8, 6, 5))
    last = net.layers[-1]
    torch.nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.arange(64.0))
    made = net(torch.randn(2, 4))[:, 0]
    assert made.shape == (2, resolution, resolution, resolution)
    x, y, z = torch.meshgrid(*[torch.arange(resolution) % 4] * 3, indexing="ij")
    assert torch.equal(made[0], (16 * x + 4 * y + z).float())


def test_the_tables_are_the_papers():
    table = [(p.name, p.trains, p.every) for p in IWGAN3D(IWGAN3DConfig(**SMALL)).phases()]
    assert table == [("critic", ("critic",), 1), ("generator", ("generator",), 5)]
    table = [(p.name, p.trains, p.every) for p in VAEIWGAN3DImage(VAEIWGAN3DImageConfig(**SMALL_IMAGE)).phases()]
    assert table == [("critic", ("critic",), 1), ("encoder", ("encoder",), 1), ("generator", ("generator",), 5)]


def a_batch(system, seed=1) -> Batch:
    noise = torch.Generator().manual_seed(seed)
    voxels = (torch.rand(4, 1, 32, 32, 32, generator=noise) < 0.2).float()
    images = torch.rand(4, 1, 32, 32, generator=noise) if system.reads is Reads.VIEWS else None
    poses = torch.randn(4, 7, generator=noise) if system.needs_poses() else None
    return Batch(voxels, images, seed, torch.tensor([0, 1, 0, 1]), poses=poses)


@pytest.mark.parametrize("name", ["gan3d", "vae-gan-image", "iwgan", "vae-iwgan-image", "joint", "aligned"])
def test_each_phase_moves_only_its_networks(name):
    narrow = {"generator_channels": (8, 4, 4), "critic_channels": (4, 4, 8), "latent": 6, "accuracy_limit": 1.0}
    if name in ("gan3d", "vae-gan-image"):
        image = {"image_channels": 1} if name == "vae-gan-image" else {}
        system = SYSTEMS[name](SYSTEMS[name].Config(resolution=32, **narrow, **image))
    elif name == "iwgan":
        system = IWGAN3D(IWGAN3DConfig(**SMALL))
    else:
        more = {"aligned": True, "generator": "subvoxel"} if name == "aligned" else {}
        system = VAEIWGAN3DImage(VAEIWGAN3DImageConfig(**SMALL_IMAGE, joint=name in ("joint", "aligned"), **more))
    train = TrainRecipe(precision="fp32")
    recipe = Recipe(system.name, system.config, optim=OptimRecipe(lr=0.01, critic_lr=0.01), train=train)
    optimisers = {name: torch.optim.Adam(net.parameters(), 0.01) for name, net in system.nets.items()}
    batch = a_batch(system)
    for phase in system.phases():
        before = {name: copy.deepcopy(list(net.parameters())) for name, net in system.nets.items()}
        run_phase(phase, system, [batch], optimisers, recipe.optim, Engine(recipe.train))
        for name, net in system.nets.items():
            changed = any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True))
            assert changed == (name in phase.trains), (phase.name, name)


def test_critic_loss_by_hand():
    """A critic that sums a tenth of the voxels: fake - real + 10 (norm - 1)^2, norm = 0.1 sqrt(32^3)."""
    system = IWGAN3D(IWGAN3DConfig(**SMALL))

    class Sum(torch.nn.Module):
        def forward(self, x):
            return 0.1 * x.flatten(1).sum(1)

    system.nets["critic"] = Sum()
    system.nets["generator"] = torch.nn.Sequential(torch.nn.Linear(6, 32**3), torch.nn.Unflatten(1, (1, 32, 32, 32)))
    torch.nn.init.zeros_(system.nets["generator"][0].weight)
    torch.nn.init.zeros_(system.nets["generator"][0].bias)  # every fake voxel is sigmoid(0)
    terms = system.critic_loss(system.nets, Batch(torch.ones(2, 1, 32, 32, 32)), 0)
    norm = 0.1 * 32**1.5
    assert terms.minimised["wasserstein"].item() == pytest.approx(0.1 * 32**3 * (0.5 - 1), rel=1e-5)
    assert terms.minimised["penalty"].item() == pytest.approx(10 * (norm - 1) ** 2, rel=1e-4)
    assert terms.total().item() == pytest.approx(sum(t.item() for t in terms.minimised.values()), rel=1e-6)


def test_joint_form_keeps_the_critic_out_until_its_step():
    config = VAEIWGAN3DImageConfig(**SMALL_IMAGE, joint=True, critic_start=5, adversarial_start=7, prior="class")
    system = VAEIWGAN3DImage(config)
    autoencoder, critic = system.phases()
    assert not critic.runs_at(4) and critic.runs_at(5)
    for step, kept, judged in ((4, False, False), (5, True, False), (7, True, True)):
        batch = a_batch(system)
        terms = autoencoder.loss(system.nets, batch, step)
        assert ("fake" in batch.carry) == kept and ("adversarial" in terms.minimised) == judged
    assert batch.carry["fake"].shape == batch.voxels.shape and not batch.carry["fake"].requires_grad


def test_the_critic_sees_the_share_of_the_batch_that_it_is_given():
    config = VAEIWGAN3DImageConfig(**SMALL_IMAGE, joint=True, critic_fraction=0.5, prior_fraction=1.0, prior="class")
    system = VAEIWGAN3DImage(config)
    batch, seen = a_batch(system), []
    system.nets["encoder"].register_forward_hook(lambda _m, _i, out: seen.append(out[0].detach()))
    made = []
    system.nets["generator"].register_forward_hook(lambda _m, inputs, out: made.append((inputs[0], out.detach())))
    autoencoder, critic = system.phases()
    autoencoder.loss(system.nets, batch, 0)
    latents, logits = made[0]
    assert len(latents) == len(batch) + len(batch) // 2, "half as many from the prior as from views"
    assert torch.equal(batch.carry["fake"], logits[len(batch) :].sigmoid()), "all that it judges comes from the prior"
    critic.loss(system.nets, batch, 0)
    with pytest.raises(UserError, match="critic_fraction"):
        VAEIWGAN3DImageConfig(**SMALL_IMAGE, critic_fraction=0.0)


def test_class_prior_draws_from_each_classes_own_gaussian():
    noise = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 40 + [1] * 40 + [2])
    latent = torch.randn(81, 3, generator=noise) * torch.tensor([0.1, 1.0, 3.0])
    latent[:40] += 10
    latent[80] = -50
    draws = torch.cat([class_prior(latent, labels, torch.randn(81, 81, generator=noise)) for _ in range(400)])
    draws = draws.view(400, 81, 3)
    for rows in (slice(0, 40), slice(40, 80)):
        mine, theirs = draws[:, rows].reshape(-1, 3), latent[rows]
        assert torch.allclose(mine.mean(0), theirs.mean(0), atol=0.1)
        assert torch.allclose(mine.T.cov(), theirs.T.cov(), atol=0.35)
    assert torch.allclose(draws[:, 80], latent[80], atol=1e-4), "a class of one gives its member"


def test_a_standardised_view_tells_nothing_of_light_and_contrast():
    config = VAEIWGAN3DImageConfig(**SMALL_IMAGE, standardise=True)
    encoder = VAEIWGAN3DImage(config).nets["encoder"].eval()
    image = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    seen = []
    encoder.layers[0].register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    with torch.no_grad():
        plain, brighter = encoder(image)[0], encoder(image + 0.2)[0]
    assert torch.allclose(plain, brighter, atol=1e-5)
    deviation, mean = torch.std_mean(seen[0], dim=(1, 2, 3))
    assert torch.allclose(mean, torch.zeros(3), atol=1e-6)
    own = image.std(dim=(1, 2, 3))
    assert torch.allclose(deviation, own / (2 * (own + 0.05)), atol=1e-5)


def test_no_critic_no_critic_weights():
    system = VAEIWGAN3DImage(VAEIWGAN3DImageConfig(**SMALL_IMAGE, joint=True, adversarial=0.0))
    assert set(system.nets) == {"encoder", "generator"} and len(system.phases()) == 1


def test_step_if_is_asked_about_this_pass_and_drops_the_gradients():
    system = IWGAN3D(IWGAN3DConfig(**SMALL))
    recipe = Recipe("iwgan", system.config, train=TrainRecipe(precision="fp32"))
    optimisers = {"critic": torch.optim.Adam(system.nets["critic"].parameters(), 0.1)}
    asked = []
    phase = Phase("critic", ("critic",), system.critic_loss, step_if=lambda terms: bool(asked.append(terms)))
    before = copy.deepcopy(system.nets["critic"].state_dict())
    assert run_phase(
        phase, system, [a_batch(system)], optimisers, recipe.optim, Engine(recipe.train)
    )["skipped"] == 1
    assert isinstance(asked[0], Terms)
    assert all(torch.equal(before[k], v) for k, v in system.nets["critic"].state_dict().items())
    assert all(p.grad is None for p in system.nets["critic"].parameters())


def test_contradictory_configs_are_refused_with_both_names():
    with pytest.raises(UserError, match="critic_start must not come after model.adversarial_start"):
        VAEIWGAN3DImageConfig(critic_start=3, adversarial_start=2)
    with pytest.raises(UserError, match="encoder_widths and model.encoder_blocks"):
        VAEIWGAN3DImageConfig(encoder_blocks=(1,))
    with refused("must be 20, 32 or 64, got 33; try 32"):
        IWGAN3D(IWGAN3DConfig(resolution=33))


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_whole_and_makes_its_system(name):
    recipe = recipes.load(name)
    assert recipe.about, "a recipe says what it is for"
    check_phases(SYSTEMS[recipe.system](recipe.model))
    assert recipes.from_tree(recipes.to_tree(recipe), name) == recipe


def test_a_table_that_names_a_missing_network_is_refused():
    system = IWGAN3D(IWGAN3DConfig(**SMALL))
    system.phases = lambda: (Phase("encoder", ("encoder",), system.critic_loss),)
    with pytest.raises(TypeError, match="encoder"):
        check_phases(system)


def test_every_config_key_is_documented():
    """Each key of each system, inherited ones too, has a text right under it."""
    for system in SYSTEMS.values():
        told = set()
        for kind in system.Config.__mro__[:-1]:
            body = ast.parse(inspect.getsource(kind)).body[0].body
            for line, after in itertools.pairwise(body):
                if isinstance(line, ast.AnnAssign) and isinstance(after, ast.Expr) and len(after.value.value) > 8:
                    told.add(line.target.id)
        assert {key.name for key in dataclasses.fields(system.Config)} <= told, system.name


def test_the_list_of_systems_is_true():
    assert len(SYSTEMS) == len(set(SYSTEMS)) >= 2
    for name, system in SYSTEMS.items():
        assert system.name == name and system.Config is SYSTEMS[name].Config


@pytest.mark.parametrize("name", ["vae-iwgan-image-tiny", "vae-iwgan-scan-tiny"])
def test_a_share_of_a_batch_for_the_critic_is_one_shape_at_least(name):
    """A quarter of a part of two samples was none, and the mean of none is NaN."""
    system, recipe, batches = job(1, name)
    config = dataclasses.replace(recipe.model, joint=True, critic_fraction=0.25, adversarial_start=0, critic_start=0)
    system = type(system)(config)
    part = batches.at(0).cut(4)[0]
    assert len(part) == 2
    terms = system.autoencoder_loss(system.nets, part, 0)
    critic = system.carried_critic_loss(system.nets, part, 0)
    assert len(part.carry["fake"]) == 1 and terms.total().isfinite() and critic.total().isfinite()
