"""Makes the .safetensors files of PyTorch networks that NetworkFileTests.swift reads, and
weights.json, which says what is in them: python make_weights.py (in this folder).

Made with torch 2.15.0, safetensors 0.8.0.
"""

import hashlib
import json

import torch
from safetensors.torch import save_file
from torch import nn


def generator(nz, width, side, channels):
    """The tutorial's and the article's generator."""
    depth = side.bit_length() - 3
    widths = [nz] + [width << i for i in reversed(range(depth))] + [channels]
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=False))
        layers += [nn.BatchNorm2d(b), nn.ReLU()] if i < depth else [nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(width, side, channels, first_norm):
    """The tutorial's discriminator, or with first_norm the article's."""
    depth = side.bit_length() - 3
    widths = [channels] + [width << i for i in range(depth)] + [1]
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        last = i == depth
        layers.append(nn.Conv2d(a, b, 4, 1 if last else 2, 0 if last else 1, bias=False))
        if not last:
            layers += [nn.BatchNorm2d(b)] if i or first_norm else []
            layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, nn.Sigmoid())


class Main(nn.Module):
    """A network in an attribute, as the tutorial has it."""

    def __init__(self, main):
        super().__init__()
        self.main = main

    def forward(self, x):
        return self.main(x)


class Named(nn.Module):
    """A generator whose layers have names of their own."""

    def __init__(self, main):
        super().__init__()
        convs = [m for m in main if isinstance(m, nn.ConvTranspose2d)]
        norms = [m for m in main if isinstance(m, nn.BatchNorm2d)]
        self.project, *self_ups, self.to_rgb = convs
        self.ups = nn.ModuleList(self_ups)
        for i, norm in enumerate(norms):
            self.add_module("norm" + "abcd"[-1 - i], norm)


def live(network, run):
    """Gives the running statistics values that no initialisation has."""
    with torch.no_grad():
        for _ in range(3):
            run(network)
    return network


def describe(state):
    """The hash of all float32 values, kernels before their norms, as our layers order them."""
    hash = hashlib.sha256()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            hash.update(tensor.float().contiguous().numpy().tobytes())
    return hash.hexdigest()


def main():
    torch.manual_seed(1)
    written = {}

    def write(name, network, state=None, **shape):
        state = state or network.state_dict()
        save_file(state, f"{name}.safetensors", metadata={"format": "pt"})
        tracked = [int(v) for k, v in state.items() if k.endswith("num_batches_tracked")]
        written[name] = {"sha256": describe(state), "tracked": tracked[0] if tracked else 0, **shape}

    def made(nz, width, side, channels):
        return live(generator(nz, width, side, channels), lambda g: g(torch.randn(4, nz, 1, 1)))

    def judged(width, side, channels, first_norm):
        return live(
            discriminator(width, side, channels, first_norm),
            lambda d: d(torch.randn(4, channels, side, side)))

    def cast(network, type):
        return {k: v.to(type) if v.is_floating_point() else v
                for k, v in network.state_dict().items()}

    g = made(5, 1, 64, 3)
    shape = {"latent": 5, "width": 1, "side": 64, "channels": 3}
    write("tutorial_g", Main(g), **shape)
    write("data_parallel_g", nn.DataParallel(Main(g)), **shape)
    write("half_g", Main(g), cast(Main(g), torch.float16), **shape)
    write("bfloat_g", Main(g), cast(Main(g), torch.bfloat16), **shape)
    old = {k: v for k, v in g.state_dict().items() if "tracked" not in k}
    write("old_g", g, old, **shape)
    write("named_g", Named(g), **shape)
    written["named_g"]["sha256"] = written["tutorial_g"]["sha256"]
    write("article_g", made(3, 1, 32, 1), latent=3, width=1, side=32, channels=1)
    write("large_g", made(2, 1, 128, 3), latent=2, width=1, side=128, channels=3)
    write("tutorial_d", Main(judged(1, 64, 3, False)), width=1, side=64, channels=3, first=False)
    write("article_d", judged(1, 64, 3, True), width=1, side=64, channels=3, first=True)
    write("small_d", judged(1, 32, 1, True), width=1, side=32, channels=1, first=True)
    write("large_d", Main(judged(1, 128, 3, False)), width=1, side=128, channels=3, first=False)
    with open("weights.json", "w") as file:
        json.dump(written, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
