"""Makes the ONNX fixtures of various exporters in this folder, and the images they should give.

Made with Python 3.11, torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxslim 0.1.98, onnxsim 0.8.1,
numpy 2.4.6, safetensors 0.8.0:

    python make_onnx_fixtures.py

`faces.safetensors` holds, for each file that can be read, `NAME.latents` and `NAME.faces`: what
PyTorch draws in float64, in −1…1. The names of files that cannot be read begin with `refused-`.
"""

import pathlib
import re
import warnings

import numpy
import onnx
import onnx.helper
import onnx.numpy_helper
import onnxsim
import onnxslim
import torch
from safetensors.numpy import save_file
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent
NZ, NGF, SIDE, CHANNELS = 5, 2, 32, 1
faces = {}


def layers(
    bias=False, last_bias=False, activation=lambda k: nn.ReLU(True), end=nn.Tanh, norm=True,
    sizes=(NZ, 4 * NGF, 2 * NGF, NGF, CHANNELS),
):  # fmt: skip
    result = []
    for k in range(len(sizes) - 1):
        is_last = k == len(sizes) - 2
        result.append(
            nn.ConvTranspose2d(
                sizes[k], sizes[k + 1], 4, 1 if k == 0 else 2, 0 if k == 0 else 1,
                bias=last_bias if is_last else bias,
            )  # fmt: skip
        )
        if not is_last:
            result += ([nn.BatchNorm2d(sizes[k + 1])] if norm else []) + [activation(k)]
    return nn.Sequential(*result, end())


class Network(nn.Module):
    """A generator whose layers preserve the RMS of their input, with trained running statistics."""

    def __init__(self, seed, prepare=None, **options):
        super().__init__()
        self.prepare = prepare
        self.main = layers(**options)
        random = torch.Generator().manual_seed(seed)
        for name, value in [*self.named_parameters(), *self.named_buffers()]:
            if value.dim() == 4:
                terms = value.shape[0] * (1 if name == "main.0.weight" else 4)
                value.data = torch.randn(value.shape, generator=random) / terms**0.5
            elif name.endswith("running_var"):
                value.data = 0.5 + torch.rand(value.shape, generator=random)
            elif value.dim() == 1:
                value.data = 0.3 * torch.randn(value.shape, generator=random)
                if name.endswith("weight"):
                    value.data += 1
        self.eval()

    def forward(self, x):
        return self.main(self.prepare(x) if self.prepare else x)


def latents(rank, count=2):
    return torch.randn((count, NZ, 1, 1)[:rank], generator=torch.Generator().manual_seed(3))


def remember(name, network, z, unit=False):
    drawn = network.double()(z.double()).detach()
    faces[f"{name}.latents"] = z.float().numpy().reshape(len(z), NZ)
    faces[f"{name}.faces"] = (2 * drawn - 1 if unit else drawn).float().numpy()


def without_paths(path):
    """Removes folders of this machine from stack traces, keeping the files' names."""
    model = onnx.load(path, load_external_data=False)
    holders = [model, model.graph, *model.graph.node, *model.graph.initializer]
    holders += [*model.graph.input, *model.graph.output, *model.graph.value_info]
    for holder in holders:
        for entry in holder.metadata_props:
            entry.value = re.sub(r"[^\s\"']*/([^/\s\"']+)", r"\1", entry.value)
    onnx.save(model, path)


def torch_new(name, network, rank=4, **options):
    """The current torch.onnx.export."""
    z = latents(rank)
    torch.onnx.export(network, (z,), HERE / f"{name}.onnx", dynamo=True, verbose=False, **options)
    without_paths(HERE / f"{name}.onnx")


def torch_old(name, network, rank=4, **options):
    """The torch.onnx.export that was current until 2024."""
    torch.onnx.export(network, (latents(rank),), HERE / f"{name}.onnx", dynamo=False, **options)
    without_paths(HERE / f"{name}.onnx")


dynamic = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
embedded = {"external_data": False}


def view(x):
    return x.view(x.size(0), -1, 1, 1)


# The current exporter: weights in a separate file, normalisation folded.
network = Network(1)
torch_new("torch-new", network)
remember("torch-new", network, latents(4))

network = Network(2, prepare=view)
torch_new("torch-new-view", network, rank=2, **dynamic, **embedded)
remember("torch-new-view", network, latents(2))

network = Network(3, prepare=lambda x: x[:, :, None, None], bias=True)
torch_new("torch-new-index-18", network, rank=2, opset_version=18, **dynamic, **embedded)
remember("torch-new-index-18", network, latents(2))

network = Network(4, bias=True, norm=False)
torch_new("torch-new-no-norm", network, **dynamic, **embedded)
remember("torch-new-no-norm", network, latents(4))

network = Network(5).half()
torch.onnx.export(
    network, (latents(4).half(),), HERE / "torch-new-half.onnx", dynamo=True, verbose=False,
    **embedded,
)  # fmt: skip
without_paths(HERE / "torch-new-half.onnx")
remember("torch-new-half", network, latents(4).half())

# The old exporter.
axes = {"dynamic_axes": {"z": {0: "batch"}}, "input_names": ["z"]}
for opset in 9, 13, 17:
    network = Network(10 + opset)
    torch_old(f"torch-old-{opset}", network, opset_version=opset, **axes)
    remember(f"torch-old-{opset}", network, latents(4))

network = Network(30)
torch_old(
    "torch-old-plain", network, opset_version=11, do_constant_folding=False,
    keep_initializers_as_inputs=True,
)  # fmt: skip
remember("torch-old-plain", network, latents(4))

network = Network(31, prepare=view)
torch_old("torch-old-view", network, rank=2, opset_version=14, **axes)
remember("torch-old-view", network, latents(2))

network = Network(32, prepare=nn.Unflatten(1, (NZ, 1, 1)))
torch_old("torch-old-unflatten", network, rank=2, opset_version=17, **axes)
remember("torch-old-unflatten", network, latents(2))

network = Network(33, end=nn.Sigmoid, bias=True)
torch_old("torch-old-sigmoid", network, opset_version=17, **axes)
remember("torch-old-sigmoid", network, latents(4), unit=True)

# Features of other generators that ours lack: LeakyReLU, biases before the image, channels that do
# not halve, other sides.
def leaky(slope):
    return lambda k: nn.LeakyReLU(slope)


network = Network(50, activation=leaky(0.2))
torch_old("torch-old-leaky", network, opset_version=17)
remember("torch-old-leaky", network, latents(4))

network = Network(51, last_bias=True)
torch_old("torch-old-last-bias", network, opset_version=12, **axes)
remember("torch-old-last-bias", network, latents(4))

network = Network(52, activation=leaky(0.01), bias=True, last_bias=True, end=nn.Sigmoid)
torch_new("torch-new-leaky-bias-sigmoid", network, **dynamic, **embedded)
remember("torch-new-leaky-bias-sigmoid", network, latents(4), unit=True)

network = Network(53, sizes=(NZ, 6, 6, 3, 1))
torch_new("torch-new-widths", network, **dynamic, **embedded)
remember("torch-new-widths", network, latents(4))

network = Network(54, sizes=(NZ, 4, 2, 3))
torch_old("torch-old-side-16", network, opset_version=15, **axes)
remember("torch-old-side-16", network, latents(4))


# Everything that can precede the first layer without changing the numbers.
class Wrapped(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network, self.nothing, self.dropout = network, nn.Identity(), nn.Dropout(0.5)
        self.eval()

    def forward(self, x):
        x = self.dropout(self.nothing(torch.flatten(x, 1))).to(torch.float64).to(torch.float32)
        return self.nothing(self.network(x.unsqueeze(2).unsqueeze(3)))


for name, maker, options in (
    ("torch-old-wrapped", torch_old, axes), ("torch-new-wrapped", torch_new, dynamic | embedded),
):  # fmt: skip
    network = Network(55)
    maker(name, Wrapped(network), **options)
    remember(name, network, latents(4))

# Programs that simplify exported graphs.
for name in "torch-old-plain", "torch-old-unflatten":
    source = onnx.load(HERE / f"{name}.onnx")
    onnx.save(onnxslim.slim(source), HERE / f"{name}-slim.onnx")
    simplified, _ = onnxsim.simplify(source)
    onnx.save(simplified, HERE / f"{name}-sim.onnx")
    for more in "slim", "sim":
        for part in "latents", "faces":
            faces[f"{name}-{more}.{part}"] = faces[f"{name}.{part}"]


# By hand: nodes in another order, every encoding of numbers, normalisation spelled out.
def by_hand():
    network = Network(40)
    state = network.state_dict()
    helper = onnx.helper
    nodes, initializers = [], []
    value = "in"
    for k in range(4):
        kernel = state[f"main.{3 * k}.weight"].numpy()
        name = f"w{k}"
        if k == 0:  # float_data
            initializers.append(
                helper.make_tensor(name, onnx.TensorProto.FLOAT, kernel.shape, kernel.flatten())
            )
        elif k == 1:  # a Constant node
            nodes.append(
                helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(kernel))
            )
        elif k == 2:  # float16 in int32_data, cast to float; the network uses the rounded values
            half = kernel.astype("float16")
            state[f"main.{3 * k}.weight"].copy_(torch.from_numpy(half.astype("float32")))
            tensor = onnx.TensorProto(
                name="h2", data_type=onnx.TensorProto.FLOAT16, dims=half.shape,
                int32_data=half.view("uint16").flatten().astype("int32"),
            )  # fmt: skip
            initializers.append(tensor)
            nodes.append(helper.make_node("Cast", ["h2"], ["c2"], to=onnx.TensorProto.FLOAT))
            nodes.append(helper.make_node("Identity", ["c2"], [name]))
        else:  # doubles, with permuted axes
            turned = numpy.ascontiguousarray(kernel.transpose(2, 3, 0, 1)).astype("float64")
            initializers.append(onnx.numpy_helper.from_array(turned, "d3"))
            nodes.append(helper.make_node("Cast", ["d3"], ["f3"], to=onnx.TensorProto.FLOAT))
            nodes.append(helper.make_node("Transpose", ["f3"], [name], perm=[2, 3, 0, 1]))
        nodes.append(
            helper.make_node(
                "ConvTranspose", [value, name], [f"y{k}"],
                strides=[1, 1] if k == 0 else [2, 2], pads=[0] * 4 if k == 0 else [1] * 4,
            )  # fmt: skip
        )
        value = f"y{k}"
        if k == 3:
            break
        scale, shift, mean, variance = (
            state[f"main.{3 * k + 1}.{part}"].numpy().reshape(-1, 1, 1)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        for part, numbers in {
            f"mean{k}": mean,
            f"variance{k}": variance,
            f"scale{k}": scale[None],
            f"shift{k}": shift,
            f"epsilon{k}": numpy.array(1e-5, "float32"),
        }.items():
            initializers.append(onnx.numpy_helper.from_array(numbers, part))
        nodes += [
            helper.make_node("Add", [f"epsilon{k}", f"variance{k}"], [f"sum{k}"]),
            helper.make_node("Sqrt", [f"sum{k}"], [f"root{k}"]),
            helper.make_node("Sub", [value, f"mean{k}"], [f"a{k}"]),
            helper.make_node("Div", [f"a{k}", f"root{k}"], [f"b{k}"]),
            helper.make_node("Mul", [f"scale{k}", f"b{k}"], [f"c{k + 10}"]),
            helper.make_node("Add", [f"c{k + 10}", f"shift{k}"], [f"d{k + 10}"]),
            helper.make_node("Relu", [f"d{k + 10}"], [f"e{k}"]),
        ]
        value = f"e{k}"
    nodes.append(helper.make_node("Tanh", [value], ["t"]))
    # To bytes, channels last, the format of a web page.
    for name, number in (("factor", 127.5), ("addend", 127.5), ("low", 0), ("high", 255)):
        initializers.append(onnx.numpy_helper.from_array(numpy.array(number, "float32"), name))
    nodes += [
        helper.make_node("Mul", ["factor", "t"], ["t1"]),
        helper.make_node("Add", ["t1", "addend"], ["t2"]),
        helper.make_node("Clip", ["t2", "low", "high"], ["t3"]),
        helper.make_node("Transpose", ["t3"], ["t4"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["t4"], ["out"], to=onnx.TensorProto.UINT8),
    ]
    order = numpy.random.RandomState(0).permutation(len(nodes))
    graph = helper.make_graph(
        [nodes[k] for k in order],
        "by hand",
        [helper.make_tensor_value_info("in", onnx.TensorProto.FLOAT, [None, NZ, 1, 1])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.UINT8, [None, SIDE, SIDE, CHANNELS])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.save(model, HERE / "by-hand.onnx")
    remember("by-hand", network, latents(4))


by_hand()

# Features that are not supported, each named when it is refused.
mixed = Network(60, activation=lambda k: nn.LeakyReLU(0.2) if k else nn.ReLU())
torch_old("refused-slopes", mixed, opset_version=17)
torch_old("refused-elu", Network(61, activation=lambda k: nn.ELU()), opset_version=17)
torch_old("refused-kernel", nn.Sequential(
    nn.ConvTranspose2d(NZ, 4, 7), nn.ReLU(), nn.ConvTranspose2d(4, 2, 4, 2, 1), nn.ReLU(),
    nn.ConvTranspose2d(2, 1, 4, 2, 1), nn.Tanh(),
).eval(), opset_version=17)  # fmt: skip
upsampling = nn.Sequential(
    nn.ConvTranspose2d(NZ, 4, 4), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3, 1, 1),
    nn.Tanh(),
)  # fmt: skip
torch_old("refused-upsample", upsampling.eval(), opset_version=17)

save_file(faces, HERE / "faces.safetensors")
