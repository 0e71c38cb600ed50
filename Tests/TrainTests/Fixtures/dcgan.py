"""A DCGAN and its training step in PyTorch, which the scripts of the other fixtures use.

Also what Swift computes too: numbers from an integer formula, so that fixtures store no weights,
and digests, so that they store no complete gradients.
"""

import math

import numpy
import torch
from torch import nn


def hashed(salt, count):
    """`count` 32-bit words from a salt: the integer hash "lowbias32" of salt and position."""
    def mix(x):
        x = x.astype(numpy.uint32)
        x ^= x >> numpy.uint32(16)
        x *= numpy.uint32(0x7FEB352D)
        x ^= x >> numpy.uint32(15)
        x *= numpy.uint32(0x846CA68B)
        x ^= x >> numpy.uint32(16)
        return x

    start = mix(numpy.array([salt], dtype=numpy.uint32))
    return mix(start + numpy.arange(count, dtype=numpy.uint32))


def uniform(salt, count):
    """`count` uniform doubles in -1...1, each a multiple of 2^-23."""
    return (hashed(salt, count) >> numpy.uint32(8)).astype(numpy.float64) * 2.0**-23 - 1


def formula_tensor(salt, shape, centre, spread):
    """Uniform float32 numbers in centre +- spread."""
    values = centre + spread * uniform(salt, math.prod(shape))
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


class Generator(nn.Module):
    def __init__(self, nz, ngf, side, channels):
        super().__init__()
        doublings = int(math.log2(side)) - 2
        widths = [nz] + [ngf << (doublings - 1 - i) for i in range(doublings)] + [channels]
        modules = []
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            modules.append(nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False))
            if i < doublings:
                modules += [nn.BatchNorm2d(b), nn.ReLU(True)]
        self.main = nn.Sequential(*modules, nn.Tanh())

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self, ndf, side, channels, normalises_first):
        super().__init__()
        doublings = int(math.log2(side)) - 2
        widths = [channels] + [ndf << i for i in range(doublings)]
        modules = []
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            modules.append(nn.Conv2d(a, b, 4, 2, 1, bias=False))
            if i > 0 or normalises_first:
                modules.append(nn.BatchNorm2d(b))
            modules.append(nn.LeakyReLU(0.2, inplace=True))
        modules += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid()]
        self.main = nn.Sequential(*modules)

    def forward(self, x):
        return self.main(x).view(-1)


def weights_init(module):
    """The tutorial's initialisation of both networks."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight.data, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight.data, 1.0, 0.02)
        nn.init.constant_(module.bias.data, 0)


def networks(case):
    generator = Generator(case["nz"], case["ngf"], case["side"], case["channels"])
    discriminator = Discriminator(
        case["ndf"], case["side"], case["channels"], case["normalises_first"])
    return generator, discriminator


def fill(network, salt):
    """Sets all weights by the formula: kernels as wide as by default, norms near the identity."""
    for index, (name, parameter) in enumerate(network.named_parameters()):
        shape = tuple(parameter.shape)
        if parameter.dim() == 4:
            centre, spread = 0.0, 1 / math.sqrt(shape[1] * 16)
        else:
            centre, spread = (1.0, 0.2) if name.endswith("weight") else (0.0, 0.1)
        parameter.data = formula_tensor(salt + index, shape, centre, spread)


def pictures(pixels, dtype):
    """8-bit pixels [count, side, side, channels] as the scripts' transforms convert them."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(dtype)
    return x.div(255).sub(0.5).div(0.5)


class Trainer:
    """Steps of both scripts. `fresh` are the latents of the generator's step, if it has its own."""

    def __init__(self, generator, discriminator, rate_g, rate_d, beta1=0.5, beta2=0.999):
        self.g, self.d = generator, discriminator
        self.optimizer_g = torch.optim.Adam(self.g.parameters(), lr=rate_g, betas=(beta1, beta2))
        self.optimizer_d = torch.optim.Adam(self.d.parameters(), lr=rate_d, betas=(beta1, beta2))
        self.criterion = nn.BCELoss()

    def step(self, real, latents, fresh=None):
        self.d.zero_grad()
        output = self.d(real)
        loss_real = self.criterion(output, torch.ones_like(output))
        loss_real.backward()
        d_x = output.mean().item()
        fake = self.g(latents)
        output = self.d(fake.detach())
        loss_fake = self.criterion(output, torch.zeros_like(output))
        loss_fake.backward()
        d_gz1 = output.mean().item()
        gradients_d = {n: p.grad.clone() for n, p in self.d.named_parameters()}
        self.optimizer_d.step()

        self.g.zero_grad()
        if fresh is not None:
            fake = self.g(fresh)
        output = self.d(fake)
        loss_g = self.criterion(output, torch.ones_like(output))
        loss_g.backward()
        d_gz2 = output.mean().item()
        gradients_g = {n: p.grad.clone() for n, p in self.g.named_parameters()}
        self.optimizer_g.step()
        losses = {
            "loss_d": (loss_real + loss_fake).item(), "loss_g": loss_g.item(),
            "d_x": d_x, "d_gz1": d_gz1, "d_gz2": d_gz2,
        }
        return losses, gradients_d, gradients_g

    def moments(self, optimizer, network):
        """Adam's moments by `first.NAME` and `second.NAME`."""
        result = {}
        for name, parameter in network.named_parameters():
            state = optimizer.state[parameter]
            result[f"first.{name}"] = state["exp_avg"]
            result[f"second.{name}"] = state["exp_avg_sq"]
        return result


SAMPLES = 8
PROJECTIONS = 2


def digest(tensor):
    """A tensor's largest magnitude, norm, sums weighted by the formula, and a few of its numbers.

    A wrong number anywhere changes the weighted sums. The samples help to find a wrong layout.
    """
    values = tensor.detach().double().reshape(-1).numpy()
    count = len(values)
    if count <= SAMPLES:
        samples = values
    else:
        samples = values[hashed(7, SAMPLES) % numpy.uint32(count)]
    return {
        "count": count,
        "max": float(numpy.abs(values).max()),
        "norm": float(numpy.sqrt((values * values).sum())),
        "projections": [
            float((values * uniform(1000 + i, count)).sum()) for i in range(PROJECTIONS)],
        "samples": [float(v) for v in samples],
    }


def digests(tensors):
    return {name: digest(tensor) for name, tensor in tensors.items()}
