"""The generator in other runtimes: each `open_*` returns a function that draws a batch."""

import numpy as np

# The configurations of each runtime; the fastest one counts.
CONFIGURATIONS = {
    "onnxruntime": ["default", "no-spin"],
    "openvino": ["latency", "throughput"],
    "pytorch": ["eager", "channels_last", "compile", "compile-channels_last"],
}


def configurations(runtime, batch):
    """The configurations that apply: parallel requests do not shorten the time of a single face."""
    return [name for name in CONFIGURATIONS[runtime] if batch > 1 or name != "throughput"]


def open_onnxruntime(paths, batch, threads, configuration):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if configuration == "no-spin":
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        paths["onnx"], options, providers=["CPUExecutionProvider"]
    )
    return lambda latents: session.run(["image"], {"latent": latents})[0]


def open_openvino(paths, batch, threads, configuration):
    import openvino
    import openvino.properties.hint as hint

    core = openvino.Core()
    model = core.read_model(paths["onnx"])
    # Fixed shapes, which OpenVINO can optimise for.
    latent = model.input(0).partial_shape[1].get_length()
    model.reshape([batch, latent, 1, 1])
    compiled = core.compile_model(
        model,
        "CPU",
        {
            hint.inference_precision: openvino.Type.f32,
            hint.performance_mode: getattr(hint.PerformanceMode, configuration.upper()),
            "INFERENCE_NUM_THREADS": threads,
        },
    )
    if configuration == "latency":
        request = compiled.create_infer_request()
        return lambda latents: request.infer([latents], share_inputs=True)[0]

    # As many parallel requests as OpenVINO recommends: each call draws that many batches.
    queue = openvino.AsyncInferQueue(compiled)

    def draw(latents):
        for _ in range(len(queue)):
            queue.start_async([latents], share_inputs=True)
        queue.wait_all()
        return queue[0].get_output_tensor(0).data

    draw.batches = len(queue)
    return draw


def torch_generator(path):
    """The tutorial's network in evaluation mode, with weights from a file."""
    import safetensors.torch
    import torch.nn as nn

    weights = {
        name.removeprefix("main."): tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in safetensors.torch.load_file(path).items()
    }
    kernels = sorted(
        (int(name.split(".")[0]), tensor.shape)
        for name, tensor in weights.items()
        if tensor.dim() == 4
    )
    layers = []
    for place, (_, shape) in enumerate(kernels):
        stride, padding = (1, 0) if place == 0 else (2, 1)
        layers.append(nn.ConvTranspose2d(shape[0], shape[1], 4, stride, padding, bias=False))
        last = place == len(kernels) - 1
        layers += [nn.Tanh()] if last else [nn.BatchNorm2d(shape[1]), nn.ReLU(True)]
    network = nn.Sequential(*layers)
    network.load_state_dict(weights, strict=False)
    return network.eval()


def open_pytorch(paths, batch, threads, configuration):
    import torch

    torch.set_num_threads(threads)
    network = torch_generator(paths["safetensors"])
    if "channels_last" in configuration:
        network = network.to(memory_format=torch.channels_last)
    if configuration.startswith("compile"):
        import torch._inductor.config

        torch._inductor.config.freezing = True
        network = torch.compile(network)

    def draw(latents):
        with torch.no_grad():
            return network(torch.from_numpy(latents)).numpy()

    return draw


OPEN = {"onnxruntime": open_onnxruntime, "openvino": open_openvino, "pytorch": open_pytorch}


def version(runtime):
    import importlib.metadata

    return importlib.metadata.version({"pytorch": "torch"}.get(runtime, runtime))


def latent_size(path):
    """The latent size of a generator in a safetensors file: the inputs of its first kernel."""
    import safetensors

    with safetensors.safe_open(path, "numpy") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}
    kernels = [name for name, shape in shapes.items() if len(shape) == 4]
    first = min(kernels, key=lambda name: [int(part) for part in name.split(".") if part.isdigit()])
    return shapes[first][0]


def latents(batch, size):
    return np.random.RandomState(42).randn(batch, size, 1, 1).astype(np.float32)
