"""bollygan-infer compared with PyTorch's generator in float64, evaluation mode, full size."""

import copy
import itertools
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.utils import make_grid, save_image

LEVELS = ["baseline", "avx2", "avx512", "neon"]
SHAPES = list(itertools.product([37, 64, 100, 128], [20, 48, 64], [32, 64, 128], [1, 3]))


class Generator(nn.Module):
    """The tutorial's generator, for any image size."""

    def __init__(self, nz, ngf, side, channels):
        super().__init__()
        doublings = side.bit_length() - 3
        widths = [nz] + [ngf << (doublings - 1 - k) for k in range(doublings)]
        layers = []
        for k, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            stride, padding = (1, 0) if k == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(True),
            ]
        layers += [nn.ConvTranspose2d(ngf, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, latents):
        return self.main(latents)


def random_generator(nz, ngf, side, channels, seed=0):
    """A generator with random weights and statistics, neither dead nor saturated."""
    random = torch.Generator().manual_seed(seed)
    generator = Generator(nz, ngf, side, channels).eval()
    for module in generator.modules():
        if isinstance(module, nn.ConvTranspose2d):
            terms = module.in_channels * (1 if module.padding == (0, 0) else 4)
            module.weight.data.normal_(0, terms**-0.5, generator=random)
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=random)
            module.bias.data.normal_(0, 0.2, generator=random)
            module.running_mean.normal_(0, 0.2, generator=random)
            module.running_var.uniform_(0.25, 1.75, generator=random)
    with torch.no_grad():
        latents = torch.randn(8, nz, 1, 1, generator=random)
        rms = generator.main[:-1](latents).square().mean().sqrt()
        generator.main[-2].weight /= rms
    return generator


def reference(generator, latents):
    double = copy.deepcopy(generator).double()
    with torch.no_grad():
        raw = double.main[:-1](torch.from_numpy(latents).double().reshape(*latents.shape, 1, 1))
    assert 0.5 <= raw.square().mean().sqrt() <= 1.5
    return torch.tanh(raw).numpy()


def save(generator, path, dtype=None, prefix="main."):
    tensors = {
        prefix + name.removeprefix("main."): (
            value.to(dtype) if dtype and value.dim() == 4 else value
        ).contiguous()
        for name, value in generator.state_dict().items()
    }
    save_file(tensors, path, metadata={"format": "pt"})


def level_runs(bollygan_infer, level, *arguments, cwd):
    """Generates with one instruction set; False if the processor does not have it."""
    done = subprocess.run(
        [bollygan_infer.path, "--kernels", level, *map(str, arguments)], cwd=cwd, capture_output=True
    )
    if done.returncode == 64 and b"cannot run" in done.stderr:
        return False
    assert done.returncode == 0, done.stderr.decode()
    return True


@pytest.mark.parametrize("nz,ngf,side,channels", SHAPES)
def test_every_instruction_set_agrees_with_float64(bollygan_infer, tmp_path, nz, ngf, side, channels):
    generator = random_generator(nz, ngf, side, channels)
    save(generator, tmp_path / "g.safetensors")
    latents = np.random.RandomState(1).randn(3, nz).astype(np.float32)
    np.save(tmp_path / "z.npy", latents)
    expected = reference(generator, latents)
    ran = []
    for level in LEVELS:
        if level_runs(
            bollygan_infer, level, "--model", "g.safetensors", "--latents", "z.npy",
            "--out", "x.npy", cwd=tmp_path,
        ):
            ran.append(level)
            pictures = np.load(tmp_path / "x.npy")
            assert pictures.dtype == np.float32
            assert pictures.shape == expected.shape
            assert np.abs(pictures - expected).max() <= 2e-5, level
    assert "baseline" in ran or "neon" in ran


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_are_widened(bollygan_infer, tmp_path, dtype):
    generator = random_generator(64, 64, 64, 3)
    for parameter in generator.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.to(dtype).float()
    save(generator, tmp_path / "g.safetensors", dtype)
    latents = np.random.RandomState(2).randn(4, 64).astype(np.float32)
    np.save(tmp_path / "z.npy", latents)
    bollygan_infer(
        "--model", "g.safetensors", "--latents", "z.npy", "--out", "x.npy", cwd=tmp_path
    )
    assert np.abs(np.load(tmp_path / "x.npy") - reference(generator, latents)).max() <= 2e-5


@pytest.mark.parametrize("prefix", ["", "main.", "module.main.", "net.", "model.", "G_ema."])
def test_state_dicts_with_other_prefixes_are_read(bollygan_infer, tmp_path, prefix):
    generator = random_generator(128, 16, 64, 3)
    save(generator, tmp_path / "g.safetensors", prefix=prefix)
    latents = np.random.RandomState(3).randn(2, 128).astype(np.float32)
    np.save(tmp_path / "z.npy", latents)
    bollygan_infer(
        "--model", "g.safetensors", "--latents", "z.npy", "--out", "x.npy", cwd=tmp_path
    )
    assert np.abs(np.load(tmp_path / "x.npy") - reference(generator, latents)).max() <= 2e-5


@pytest.mark.parametrize("nz", [37, 64, 100, 128])
@pytest.mark.parametrize("seed,count", [(42, 64), (0, 1), (-1, 5), (2**63 + 7, 3), (999, 130)])
def test_seed_gives_torchs_latents_bit_for_bit(bollygan_infer, tmp_path, nz, seed, count):
    save(random_generator(nz, 4, 32, 1), tmp_path / "g.safetensors")
    bollygan_infer(
        "--model", "g.safetensors", "--seed", seed, "--count", count, "--batch", 3,
        "--out", "x.rgb", "--save-latents", "z.npy", cwd=tmp_path,
    )
    torch.manual_seed(seed)
    expected = torch.randn(count, nz, 1, 1).reshape(count, nz).numpy()
    assert np.array_equal(np.load(tmp_path / "z.npy").view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("nz", [37, 64])
def test_seeds_give_numpys_latents(bollygan_infer, tmp_path, nz):
    save(random_generator(nz, 4, 32, 1), tmp_path / "g.safetensors")
    bollygan_infer(
        "--model", "g.safetensors", "--seeds", "0-20,4294967295,85",
        "--out", "x.rgb", "--save-latents", "z.npy", cwd=tmp_path,
    )
    expected = np.concatenate(
        [
            np.random.RandomState(seed).randn(1, nz).astype(np.float32)
            for seed in [*range(21), 2**32 - 1, 85]
        ]
    )
    assert np.array_equal(np.load(tmp_path / "z.npy"), expected)


def test_8_bit_grids_agree_with_torchvision(bollygan_infer, tmp_path):
    generator = random_generator(64, 64, 64, 3)
    save(generator, tmp_path / "g.safetensors")
    bollygan_infer("--model", "g.safetensors", "--seed", 42, "--out", "ours.png", cwd=tmp_path)
    torch.manual_seed(42)
    with torch.no_grad():
        pictures = generator(torch.randn(64, 64, 1, 1))
    # The tutorial denormalises, then torchvision writes the grid.
    save_image(make_grid((pictures + 1) / 2), tmp_path / "theirs.png")
    ours, theirs = (
        np.asarray(Image.open(tmp_path / name)).astype(int) for name in ["ours.png", "theirs.png"]
    )
    assert ours.shape == theirs.shape == (530, 530, 3)
    assert np.abs(ours - theirs).max() <= 1
    assert (ours == theirs).mean() >= 0.999


def test_minmax_grids_agree_with_torchvisions_normalize(bollygan_infer, tmp_path):
    generator = random_generator(64, 16, 64, 3)
    save(generator, tmp_path / "g.safetensors")
    bollygan_infer(
        "--model", "g.safetensors", "--seed", 7, "--pixel-rule", "minmax", "--out", "ours.png",
        cwd=tmp_path,
    )
    torch.manual_seed(7)
    with torch.no_grad():
        pictures = generator(torch.randn(64, 64, 1, 1))
    save_image(pictures, tmp_path / "theirs.png", normalize=True)
    ours, theirs = (
        np.asarray(Image.open(tmp_path / name)).astype(int) for name in ["ours.png", "theirs.png"]
    )
    assert np.abs(ours - theirs).max() <= 1
    assert (ours == theirs).mean() >= 0.999
