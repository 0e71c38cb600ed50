"""Random networks, and their outputs computed from the definition in float64 numpy."""

import numpy
from safetensors.numpy import save_file

EPSILON = 1e-5


def random_generator(nz, ngf, side, channels, seed=0, last=1.0):
    """A state_dict with the names of PyTorch's tutorial.

    Each layer preserves the RMS of its input, so that the input of tanh has an RMS of about `last`,
    neither dead nor saturated.
    """
    random = numpy.random.RandomState(seed)
    doublings = side.bit_length() - 3
    sizes = [nz] + [ngf << (doublings - 1 - k) for k in range(doublings)] + [channels]
    tensors = {}
    for k in range(doublings + 1):
        is_last = k == doublings
        terms = sizes[k] * (1 if k == 0 else 4)
        scale = (last if is_last else 1) / terms**0.5
        tensors[f"main.{3 * k}.weight"] = scale * random.randn(sizes[k], sizes[k + 1], 4, 4)
        if not is_last:
            width = sizes[k + 1]
            tensors[f"main.{3 * k + 1}.weight"] = 1 + 0.2 * random.randn(width)
            tensors[f"main.{3 * k + 1}.bias"] = 0.2 * random.randn(width)
            tensors[f"main.{3 * k + 1}.running_mean"] = 0.2 * random.randn(width)
            tensors[f"main.{3 * k + 1}.running_var"] = 0.5 + random.rand(width)
    tensors = {name: value.astype("float32") for name, value in tensors.items()}
    for k in range(doublings):
        tensors[f"main.{3 * k + 1}.num_batches_tracked"] = numpy.array(7)
    return tensors


def random_discriminator(ndf, side, channels, first=False, seed=0):
    """A state_dict with the names of PyTorch's tutorial.

    `first` adds a normalisation after the first layer, as in the article. Scores vary, so that they
    are not all 0 or 1.
    """
    random = numpy.random.RandomState(seed)
    doublings = side.bit_length() - 3
    sizes = [channels] + [ndf << k for k in range(doublings)] + [1]
    tensors = {}
    for k in range(doublings + 1):
        kernel = 3 * k if first or k == 0 else 3 * k - 1
        shape = (sizes[k + 1], sizes[k], 4, 4)
        tensors[f"main.{kernel}.weight"] = random.randn(*shape) / (8 * sizes[k]) ** 0.5
        if k < doublings and (first or k > 0):
            name, width = f"main.{kernel + 1}", sizes[k + 1]
            tensors[f"{name}.weight"] = 1 + 0.2 * random.randn(width)
            tensors[f"{name}.bias"] = 0.2 * random.randn(width)
            tensors[f"{name}.running_mean"] = 0.2 * random.randn(width)
            tensors[f"{name}.running_var"] = 0.5 + random.rand(width)
    return {name: value.astype("float32") for name, value in tensors.items()}


def score(tensors, images):
    """The score of PyTorch's discriminator in eval mode, after its sigmoid, in float64."""
    x = images.astype("float64")
    kernels = sorted(
        (int(name.split(".")[1]) for name, tensor in tensors.items() if tensor.ndim == 4)
    )
    for k in kernels:
        kernel = tensors[f"main.{k}.weight"].astype("float64")
        last = k == kernels[-1]
        step, padding = (1, 0) if last else (2, 1)
        x = numpy.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        side = (x.shape[2] - 4) // step + 1
        x = sum(
            numpy.einsum(
                "bcij,dc->bdij",
                x[:, :, u : u + step * side : step, v : v + step * side : step],
                kernel[:, :, u, v], optimize=True,
            )
            for u in range(4) for v in range(4)
        )  # fmt: skip
        if last:
            return 1 / (1 + numpy.exp(-x.reshape(len(x), 1)))
        if f"main.{k + 1}.weight" in tensors and tensors[f"main.{k + 1}.weight"].ndim == 1:
            scale, shift, mean, variance = (
                tensors[f"main.{k + 1}.{name}"].astype("float64").reshape(-1, 1, 1)
                for name in ("weight", "bias", "running_mean", "running_var")
            )
            x = (x - mean) / numpy.sqrt(variance + EPSILON) * scale + shift
        x = numpy.where(x > 0, x, 0.2 * x)


def save(tensors, path, **metadata):
    save_file(tensors, path, {"format": "pt", **metadata})


def transposed_convolution(x, kernel, stride, padding):
    """torch.nn.functional.conv_transpose2d, from its definition."""
    count, _, rows, columns = x.shape
    _, outputs, size, _ = kernel.shape
    full = numpy.zeros(
        (count, outputs, (rows - 1) * stride + size, (columns - 1) * stride + size), x.dtype
    )
    for u in range(size):
        for v in range(size):
            full[:, :, u : u + rows * stride : stride, v : v + columns * stride : stride] += (
                numpy.einsum("bcij,cd->bdij", x, kernel[:, :, u, v], optimize=True)
            )
    end = -padding or None
    return full[:, :, padding:end, padding:end]


def generate(tensors, latents, slope=0):
    """The output of PyTorch's generator in eval mode with LeakyReLU(slope), in float64."""
    layers = sum(1 for tensor in tensors.values() if tensor.ndim == 4)
    x = latents.astype("float64").reshape(len(latents), -1, 1, 1)
    for k in range(layers):
        kernel = tensors[f"main.{3 * k}.weight"].astype("float64")
        x = transposed_convolution(x, kernel, *((1, 0) if k == 0 else (2, 1)))
        if k == layers - 1:
            return numpy.tanh(x)
        scale, shift, mean, variance = (
            tensors[f"main.{3 * k + 1}.{name}"].astype("float64").reshape(-1, 1, 1)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / numpy.sqrt(variance + EPSILON) * scale + shift
        x = numpy.where(x > 0, x, slope * x)
