"""Measures how close the faces of other runtimes are to ours.

Prints a line for each runtime and type of weights. `run` starts this in environments that have the
runtimes.
"""

import argparse
import ctypes
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("BOLLYGAN_BIN", ROOT / ".build" / "release"))
COUNT = 64
DTYPES = ["f32", "f16", "bf16", "int8"]


def call(command, *arguments):
    subprocess.run([BIN / command, *map(str, arguments)], check=True, stderr=subprocess.DEVNULL)


class Case:
    """An exported file, and the faces that bollygan-infer draws from the same file."""

    def __init__(self, folder, model, dtype, *flags, ending="onnx"):
        self.folder, self.dtype = folder, dtype
        self.path = folder / f"{dtype}.{ending}"
        call("bollygan-export", "--model", model, "--dtype", dtype, *flags, self.path)
        faces = folder / f"{dtype}.npy"
        # A C header is not a model, so the faces come from the model that it was made from.
        source = model if ending == "h" else self.path
        call("bollygan-infer", "--model", source, "--seed", 42, "--count", COUNT, "--out", faces,
             "--save-latents", folder / "z.npy")  # fmt: skip
        self.faces = numpy.load(faces)
        self.latents = numpy.load(folder / "z.npy").reshape(COUNT, -1)

    def column(self):
        return self.latents.reshape(COUNT, -1, 1, 1)


def onnxruntime(folder, model):
    import onnxruntime

    for dtype in DTYPES:
        case = Case(folder, model, dtype)
        session = onnxruntime.InferenceSession(case.path, providers=["CPUExecutionProvider"])
        yield case, session.run(["image"], {"latent": case.column()})[0]


def openvino(folder, model):
    import openvino

    for dtype in DTYPES:
        case = Case(folder, model, dtype)
        # On some processors the default is bfloat16.
        compiled = openvino.Core().compile_model(
            case.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        yield case, compiled({"latent": case.column()})["image"]


def reference(folder, model):
    import onnx.reference

    for dtype in DTYPES:
        # Its DequantizeLinear needs at least opset 19.
        case = Case(folder, model, dtype, "--opset", 19)
        run = onnx.reference.ReferenceEvaluator(str(case.path)).run
        # It takes seconds per face, so only two are drawn.
        case.faces = case.faces[:2]
        yield case, run(["image"], {"latent": case.column()[:2]})[0]


def ncnn(folder, model):
    import ncnn

    for dtype in DTYPES:
        case = Case(folder, model, dtype)
        size = case.latents.shape[1]
        subprocess.run(
            [pathlib.Path(sys.executable).parent / "pnnx", case.path.name,
             f"inputshape=[1,{size},1,1]f32", "fp16=0"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        network = ncnn.Net()
        network.opt.use_fp16_packed = network.opt.use_fp16_storage = False
        network.opt.use_fp16_arithmetic = network.opt.use_bf16_storage = False
        network.load_param(str(folder / f"{dtype}.ncnn.param"))
        network.load_model(str(folder / f"{dtype}.ncnn.bin"))
        faces = []
        for latent in case.column():
            extractor = network.create_extractor()
            extractor.input("in0", ncnn.Mat(numpy.ascontiguousarray(latent)).clone())
            faces.append(numpy.array(extractor.extract("out0")[1]))
        yield case, numpy.stack(faces).reshape(case.faces.shape)


def pytorch(folder, model):
    import torch
    from torch import nn

    for dtype in DTYPES[:3]:
        case = Case(folder, model, dtype, ending="pth")
        state = torch.load(case.path, weights_only=True)
        kernels = [tensor for tensor in state.values() if tensor.dim() == 4]
        layers = nn.Sequential()
        for k, kernel in enumerate(kernels):
            step, padding = (2, 1) if k else (1, 0)
            layers.append(nn.ConvTranspose2d(*kernel.shape[:2], 4, step, padding, bias=False))
            if k < len(kernels) - 1:
                layers.extend([nn.BatchNorm2d(kernel.shape[1]), nn.ReLU()])
        layers.append(nn.Tanh())
        network = nn.Module()
        network.main = layers
        network.load_state_dict(state, strict=True)
        with torch.no_grad():
            yield case, network.eval().main(torch.from_numpy(case.column())).numpy()


def litert(folder, model):
    from ai_edge_litert.interpreter import Interpreter

    for dtype in DTYPES:
        case = Case(folder, model, dtype, "--batch", 1)
        out = folder / f"litert-{dtype}"
        subprocess.run(
            [pathlib.Path(sys.executable).parent / "onnx2tf", "-i", case.path, "-o", out, "-n"],
            check=True, capture_output=True,
        )  # fmt: skip
        interpreter = Interpreter(str(out / f"{dtype}_float32.tflite"))
        interpreter.allocate_tensors()
        (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
        faces = []
        for latent in case.latents:
            interpreter.set_tensor(given["index"], latent.reshape(given["shape"]))
            interpreter.invoke()
            # The converter moves channels last.
            faces.append(interpreter.get_tensor(wanted["index"])[0].transpose(2, 0, 1))
        yield case, numpy.stack(faces)


def c(folder, model):
    case = Case(folder, model, "f32", ending="h")
    (folder / "driver.c").write_text(
        '#include "f32.h"\n'
        "void draw(float *w, float *z, float *s, float *x) { f32_draw(w, z, s, x); }\n"
        "int scratch = F32_SCRATCH;\n"
    )
    compiler = shutil.which("cc") or "clang"
    command = [compiler, "-std=c99", "-O3", "-shared", "-fPIC", "-o", "driver.so", "driver.c"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "driver.so"))
    weights = numpy.fromfile(folder / "f32.bin", "<f4")
    scratch = numpy.zeros(ctypes.c_int.in_dll(library, "scratch").value, "float32")
    faces = numpy.zeros_like(case.faces)
    for latent, face in zip(case.latents, faces):
        library.draw(*(x.ctypes.data_as(ctypes.c_void_p) for x in (weights, latent, scratch, face)))
    yield case, faces


PACKAGES = {"reference": "onnx", "pytorch": "torch", "litert": "ai-edge-litert"}
CONVERTERS = {"ncnn": "pnnx", "litert": "onnx2tf"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=ROOT / "models" / "bollygan-64.safetensors")
    parser.add_argument("--kinds", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for kind in options.kinds.split(","):
        if options.only and kind not in options.only.split(","):
            continue
        name = kind
        for package in PACKAGES.get(kind, kind), CONVERTERS.get(kind):
            if package and kind != "c":
                name += f", {package} {importlib.metadata.version(package)}"
        with tempfile.TemporaryDirectory() as folder:
            for case, faces in globals()[kind](pathlib.Path(folder), options.model):
                gap = abs(faces.astype("float64") - case.faces).max()
                print(f"{name} | {case.dtype} | {gap:.1e}", flush=True)


if __name__ == "__main__":
    main()
