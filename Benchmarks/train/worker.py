"""Repeats training steps as in the article's notebook: worker.py CONFIGURATION BATCH THREADS.

A configuration is float32, channels_last, or bfloat16 (which is also channels_last).
"""

import contextlib
import sys

import torch
import torch.nn as nn

import rounds

configuration, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LATENT, WIDTH = 64, 64

torch.set_num_threads(threads)
torch.manual_seed(42)
layout = torch.contiguous_format if configuration == "float32" else torch.channels_last


def network(channels, convolution, activation, first):
    """Convolutions, normalisations and activations; layer `first` has stride 1 and no padding."""
    layers = []
    for place, (inputs, outputs) in enumerate(zip(channels, channels[1:])):
        stride, padding = (1, 0) if place == first else (2, 1)
        layers.append(convolution(inputs, outputs, 4, stride, padding, bias=False))
        if place < len(channels) - 2:
            layers += [nn.BatchNorm2d(outputs), activation()]
    return layers


widths = [WIDTH * factor for factor in (8, 4, 2, 1)]
generator = nn.Sequential(
    *network([LATENT, *widths, 3], nn.ConvTranspose2d, lambda: nn.ReLU(True), 0), nn.Tanh()
).to(memory_format=layout)
discriminator = nn.Sequential(
    *network([3, *widths[::-1], 1], nn.Conv2d, lambda: nn.LeakyReLU(0.2, True), 4), nn.Flatten()
).to(memory_format=layout)
optimizers = {
    net: torch.optim.Adam(net.parameters(), lr=0.0002, betas=(0.5, 0.999))
    for net in (generator, discriminator)
}
loss = nn.BCEWithLogitsLoss()
real = (torch.rand(batch, 3, 64, 64) * 2 - 1).to(memory_format=layout)
ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)


def precision():
    if configuration == "bfloat16":
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def step():
    optimizers[discriminator].zero_grad()
    with precision():
        loss_real = loss(discriminator(real), ones)
    loss_real.backward()
    with precision():
        fake = generator(torch.randn(batch, LATENT, 1, 1))
        loss_fake = loss(discriminator(fake.detach()), zeros)
    loss_fake.backward()
    optimizers[discriminator].step()

    optimizers[generator].zero_grad()
    with precision():
        loss_generator = loss(discriminator(generator(torch.randn(batch, LATENT, 1, 1))), ones)
    loss_generator.backward()
    optimizers[generator].step()
    # Scripts print these, and so wait for them.
    return loss_real.item() + loss_fake.item(), loss_generator.item()


for _ in range(2):
    step()
rounds.answer_rounds(torch.__version__, lambda: step() and None)
