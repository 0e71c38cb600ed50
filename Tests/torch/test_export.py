"""PyTorch strictly loads what bollygan-export writes, and computes the same images and scores."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

TOLERANCE = 2e-5

# (channels of the kernels, bias in the last layer, slope of the activations)
GENERATORS = {
    "tutorial": ([100, 512, 256, 128, 64, 3], False, 0),
    "leaky": ([7, 6, 6, 3, 1], True, 0.2),
}


def generator(sizes, bias, slope, seed=5):
    layers = []
    for k, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        last = k == len(sizes) - 2
        step, padding = (2, 1) if k else (1, 0)
        layers.append(nn.ConvTranspose2d(inputs, outputs, 4, step, padding, bias=bias and last))
        if not last:
            layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return trained(nn.Sequential(*layers, nn.Tanh()), torch.randn(8, sizes[0], 1, 1), seed)


def discriminator(first, side, seed=6):
    sizes = [3] + [8 << k for k in range(side.bit_length() - 3)] + [1]
    layers = []
    for k, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        last = k == len(sizes) - 2
        step, padding = (1, 0) if last else (2, 1)
        layers.append(nn.Conv2d(inputs, outputs, 4, step, padding, bias=False))
        if not last:
            layers += ([nn.BatchNorm2d(outputs)] if first or k else []) + [nn.LeakyReLU(0.2)]
    return trained(nn.Sequential(*layers, nn.Sigmoid()), torch.randn(8, 3, side, side), seed)


class Main(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.main = layers

    def forward(self, x):
        return self.main(x)


def trained(layers, x, seed):
    """Random weights that keep the scale of their input, and statistics from a few batches."""
    random = torch.Generator().manual_seed(seed)
    network = Main(layers)
    for name, value in network.named_parameters():
        if value.dim() == 4:
            terms = value.shape[0 if isinstance(layers[0], nn.ConvTranspose2d) else 1] * 4
            value.data = torch.randn(value.shape, generator=random) / terms**0.5
        else:
            value.data = value.data + 0.2 * torch.randn(value.shape, generator=random)
    for _ in range(3):
        network(x)
    return network.eval()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_pth_loads_with_weights_only_and_generates_the_same_faces(
    name, dtype, tmp_path, bollygan_export, bollygan_infer
):
    network = generator(*GENERATORS[name])
    slope = GENERATORS[name][2]
    torch.save(network.state_dict(), tmp_path / "theirs.pth")
    source = tmp_path / "source.safetensors"
    bollygan_export("import", "--negative-slope", slope, tmp_path / "theirs.pth", source)
    bollygan_export("--model", source, "--dtype", dtype, tmp_path / "ours.pth")
    state = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert list(state) == list(network.state_dict())
    kind = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]
    for key, value in network.state_dict().items():
        rounded = value.to(kind) if value.dim() == 4 else value
        assert state[key].dtype == rounded.dtype and torch.equal(state[key], rounded), key
    fresh = generator(*GENERATORS[name], seed=9)
    fresh.load_state_dict(state, strict=True)
    latents = np.random.RandomState(3).randn(3, GENERATORS[name][0][0]).astype("float32")
    np.save(tmp_path / "z.npy", latents)
    # The safetensors file records the slope, which a .pth file cannot.
    stored = tmp_path / "stored.safetensors"
    bollygan_export("--model", source, "--dtype", dtype, stored)
    bollygan_infer(
        "--model", stored, "--latents", tmp_path / "z.npy", "--out", tmp_path / "x.npy"
    )
    with torch.no_grad():
        drawn = fresh.double()(torch.from_numpy(latents).double().reshape(3, -1, 1, 1)).numpy()
    assert drawn.std() > 0.1
    assert abs(np.load(tmp_path / "x.npy") - drawn).max() <= TOLERANCE


@pytest.mark.parametrize("first, side", [(False, 64), (True, 64), (False, 16)])
def test_exported_discriminators_give_the_scores_of_the_original(first, side, tmp_path, bollygan_export):
    network = discriminator(first, side)
    torch.save({"netD": network.state_dict(), "epoch": 3}, tmp_path / "theirs.pth")
    flags = ["--discriminator", "--model", tmp_path / "theirs.pth"]
    for flags_of_file, name in ([], "ours.onnx"), (["--keep-norm"], "kept.onnx"):
        bollygan_export(*flags, *flags_of_file, tmp_path / name)
        session = onnxruntime.InferenceSession(tmp_path / name)
        pictures = torch.rand(4, 3, side, side) * 2 - 1
        score = session.run(["score"], {"image": pictures.numpy()})[0]
        with torch.no_grad():
            expected = network(pictures).reshape(4, 1).numpy()
        assert expected.std() > 0 and abs(score - expected).max() <= TOLERANCE
    bollygan_export(*flags, tmp_path / "ours.pth")
    state = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert list(state) == list(network.state_dict())
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


def test_npz_loads_as_a_state_dict(tmp_path, bollygan_export):
    network = generator(*GENERATORS["tutorial"])
    save_file(network.state_dict(), tmp_path / "g.safetensors")
    bollygan_export("--model", tmp_path / "g.safetensors", tmp_path / "g.npz")
    archive = np.load(tmp_path / "g.npz")
    state = {name: torch.from_numpy(archive[name]) for name in archive}
    generator(*GENERATORS["tutorial"], seed=9).load_state_dict(state, strict=True)
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())
