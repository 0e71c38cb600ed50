"""Exported ONNX files, checked and run by other programs."""

import itertools
import json

import networks
import numpy
import onnx
import onnx.checker
import onnx.numpy_helper
import onnx.reference
import onnx.shape_inference
import onnxruntime
import openvino
import pytest

# Two float32 engines add the same numbers in different orders.
TOLERANCE = 2e-5

SHAPES = {
    "64 RGB": dict(nz=64, ngf=16, side=64, channels=3),
    "64 RGB, latent 100": dict(nz=100, ngf=8, side=64, channels=3),
    "32 gray": dict(nz=37, ngf=12, side=32, channels=1),
    "128 RGB": dict(nz=16, ngf=4, side=128, channels=3),
}


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def model(request, tmp_path_factory):
    """A generator: its file, its tensors, and latents with the expected faces."""
    return Model(tmp_path_factory.mktemp("model"), **SHAPES[request.param])


class Model:
    def __init__(self, folder, **shape):
        self.folder = folder
        self.shape = shape
        self.tensors = networks.random_generator(**shape, seed=5)
        self.path = folder / "generator.safetensors"
        networks.save(
            self.tensors,
            self.path,
            **{
                "bollygan.epoch": "12",
                "bollygan.recipe": "test",
                "modelspec.author": "Ada",
                "modelspec.license": "none",
            },
        )
        self.latents = numpy.random.RandomState(1).randn(64, shape["nz"]).astype("float32")
        self.faces = networks.generate(self.tensors, self.latents)


def checked(path):
    """The file, after the strictest checks of the onnx package."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def run_onnxruntime(path, latents):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(["image"], {"latent": latents})[0]


def run_openvino(path, latents):
    core = openvino.Core()
    # The default on some processors is bfloat16.
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled({"latent": latents})["image"]


def run_reference(path, latents):
    return onnx.reference.ReferenceEvaluator(str(path)).run(["image"], {"latent": latents})[0]


@pytest.mark.parametrize("norm", ["folded", "kept"])
def test_every_runtime_generates_our_faces(model, norm, bollygan_export, bollygan_infer):
    path = model.folder / f"{norm}.onnx"
    flags = ["--keep-norm"] if norm == "kept" else []
    bollygan_export("--model", model.path, *flags, path)
    checked(path)
    for batch in 1, 7, 64:
        latents = model.latents[:batch]
        numpy.save(model.folder / "z.npy", latents)
        bollygan_infer(
            "--model", model.path, "--latents", model.folder / "z.npy", "--out",
            model.folder / "x.npy",
        )  # fmt: skip
        ours = numpy.load(model.folder / "x.npy")
        assert abs(ours - model.faces[:batch]).max() <= TOLERANCE
        rank4 = latents.reshape(batch, -1, 1, 1)
        for runtime in run_onnxruntime, run_openvino:
            gap = abs(runtime(path, rank4) - ours).max()
            print(f"{runtime.__name__[4:]}, {norm}, batch {batch}: {gap:.2e}")
            assert gap <= TOLERANCE
    gap = abs(run_reference(path, model.latents[:2].reshape(2, -1, 1, 1)) - model.faces[:2]).max()
    print(f"onnx.reference, {norm}: {gap:.2e}")
    assert gap <= TOLERANCE


def test_the_same_generator_gives_the_same_bytes(model, bollygan_export):
    first, second = model.folder / "first.onnx", model.folder / "second.onnx"
    bollygan_export("--model", model.path, first)
    bollygan_export("--model", model.path, second)
    streamed = bollygan_export("--model", model.path, "-").stdout
    assert first.read_bytes() == second.read_bytes() == streamed


def test_names_and_metadata_are_the_documented_ones(model, bollygan_export):
    path = model.folder / "names.onnx"
    bollygan_export("--model", model.path, path)
    written = checked(path)
    assert (written.ir_version, written.opset_import[0].version) == (8, 17)
    assert written.producer_name == "bollygan" and written.producer_version
    assert written.model_version == 12
    assert written.doc_string.startswith("# DCGAN generator")
    assert written.graph.name == "dcgan_generator"
    metadata = {entry.key: entry.value for entry in written.metadata_props}
    gray = model.shape["channels"] == 1
    assert metadata["Image.BitmapPixelFormat"] == ("Gray8" if gray else "Rgb8")
    assert metadata["Image.ColorSpaceGamma"] == "SRGB"
    assert metadata["Image.NominalPixelRange"] == "Normalized_1_1"
    assert metadata["model_author"] == "Ada" and metadata["model_license"] == "none"
    assert metadata["bollygan.recipe"] == "test"
    (latent,), (image,) = written.graph.input, written.graph.output
    assert (latent.name, image.name) == ("latent", "image")
    assert latent.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert image.type.denotation == "IMAGE"
    assert [axis.denotation for axis in image.type.tensor_type.shape.dim] == [
        "DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE",
    ]  # fmt: skip
    initializers = {tensor.name for tensor in written.graph.initializer}
    assert {f"main.{3 * k}.weight" for k in range(4)} <= initializers
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().graph_name == "dcgan_generator"
    assert session.get_outputs()[0].shape[0] == "batch"


# Every pair of values of two options occurs at least once, in a small set found greedily.
OPTIONS = {
    "--opset": [11, 12, 13, 15, 17, 19, 21, 22, 24, 25, 28],
    "--dtype": ["f32", "f16", "bf16", "int8"],
    "--norm": ["folded", "kept"],
    "--output-range": ["pm1", "01", "u8"],
    "--layout": ["nchw", "nhwc"],
    "--latent-rank": [2, 4],
    "--batch": ["dynamic", 3],
}


def allowed(first, second):
    """Whether a pair of options is valid: bf16 and int8 need operator set 13."""
    choice = {name: value for name, value in (first, second)}
    return choice.get("--opset", 13) >= 13 or choice.get("--dtype") not in ("bf16", "int8")


def covering_set():
    missing = {
        frozenset(pair)
        for one, other in itertools.combinations(OPTIONS, 2)
        for pair in itertools.product(
            [(one, value) for value in OPTIONS[one]], [(other, value) for value in OPTIONS[other]]
        )
        if allowed(*pair)
    }
    rows = []
    while missing:
        # Start from a missing pair, then give every other option the value that covers most pairs.
        row = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        for name, values in OPTIONS.items():
            if name in row:
                continue

            def covered(value):
                return sum(
                    frozenset([(name, value), item]) in missing for item in row.items()
                )

            row[name] = max(
                (v for v in values if all(allowed((name, v), item) for item in row.items())),
                key=covered,
            )
        missing -= {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}
        rows.append(row)
    return rows


# Bound on the difference, in −1…1, between faces of rounded and original weights, for the small
# network below. The command reports the actual difference for each file.
STORAGE_COST = {"f32": TOLERANCE, "f16": 4e-3, "bf16": 3e-2, "int8": 1e-1}


def hole(run, row):
    """Why the pinned version of a runtime cannot run this row, or None; each was investigated."""
    if run is run_onnxruntime and (row["--dtype"], row["--opset"]) == ("int8", 28):
        return "supports DequantizeLinear up to operator set 25"
    if run is run_reference and row["--dtype"] == "int8" and row["--opset"] < 19:
        return "supports DequantizeLinear from operator set 19 on"
    if run is run_reference and row["--norm"] == "kept" and row["--opset"] < 14:
        return "runs BatchNormalization before operator set 14 in training mode"
    return None


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("small"), nz=8, ngf=4, side=32, channels=3)


@pytest.mark.parametrize("row", covering_set(), ids=lambda row: " ".join(map(str, row.values())))
def test_every_pair_of_options_runs_everywhere(row, small, bollygan_export):
    path = small.folder / "pair.onnx"
    flags = []
    for name, value in row.items():
        if name != "--norm":
            flags += [name, value]
        elif value == "kept":
            flags.append("--keep-norm")
    report = json.loads(
        bollygan_export("--model", small.path, "--json", *flags, path).stdout
    )
    assert report["check"]["largestDifference"] <= TOLERANCE
    checked(path)
    latents = small.latents[:3]
    expected = small.faces[:3]
    # A value between two 8-bit steps may round either way.
    tolerance = STORAGE_COST[row["--dtype"]]
    if row["--output-range"] == "01":
        expected, tolerance = expected / 2 + 0.5, tolerance / 2
    elif row["--output-range"] == "u8":
        expected = numpy.floor(numpy.clip(expected * 127.5 + 128, 0, 255))
        tolerance = 1 + tolerance * 127.5
    if row["--layout"] == "nhwc":
        expected = expected.transpose(0, 2, 3, 1)
    if row["--latent-rank"] == 4:
        latents = latents.reshape(3, -1, 1, 1)
    faces = {}
    for run in run_onnxruntime, run_openvino, run_reference:
        if reason := hole(run, row):
            print(f"{run.__name__[4:]} {reason}")
            continue
        faces[run.__name__] = face = run(path, latents)
        assert face.dtype == ("uint8" if row["--output-range"] == "u8" else "float32")
        assert face.shape == expected.shape
        assert abs(face.astype("float64") - expected).max() <= tolerance, run.__name__
    # Runtimes agree with each other whatever the storage; at least two of them ran.
    assert len(faces) >= 2
    bound = 1 if row["--output-range"] == "u8" else TOLERANCE
    for one, other in itertools.combinations(faces.values(), 2):
        assert abs(one.astype("float64") - other).max() <= bound


DISCRIMINATORS = {
    "64 RGB": dict(ndf=8, side=64, channels=3),
    "64 RGB, article": dict(ndf=4, side=64, channels=3, first=True),
    "16 gray": dict(ndf=5, side=16, channels=1),
    "128 gray, article": dict(ndf=2, side=128, channels=1, first=True),
}


@pytest.mark.parametrize("discriminator", DISCRIMINATORS, ids=str)
@pytest.mark.parametrize(
    "flags, cost",
    [
        ([], TOLERANCE),
        (["--keep-norm", "--layout", "nhwc", "--opset", "14"], TOLERANCE),
        (["--dtype", "f16", "--opset", "11", "--batch", "3"], 5e-3),
        (["--dtype", "bf16", "--keep-norm", "--opset", "21"], 3e-2),
        (["--dtype", "int8", "--opset", "19", "--layout", "nhwc"], 5e-2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_runtime_gives_our_discriminators_scores(
    discriminator, flags, cost, tmp_path, bollygan_export
):
    shape = DISCRIMINATORS[discriminator]
    tensors = networks.random_discriminator(**shape, seed=7)
    networks.save(tensors, tmp_path / "discriminator.safetensors")
    path = tmp_path / "discriminator.onnx"
    bollygan_export(
        "--discriminator", "--model", tmp_path / "discriminator.safetensors", "--test-data", *flags, path
    )
    written = checked(path)
    assert written.graph.name == "dcgan_discriminator"
    assert written.graph.input[0].type.denotation == "IMAGE"
    random = numpy.random.RandomState(2)
    images = numpy.tanh(random.randn(3, shape["channels"], shape["side"], shape["side"]))
    images = images.astype("float32")
    expected = networks.score(tensors, images)
    assert expected.shape == (3, 1) and expected.std() > 0.01
    given = images.transpose(0, 2, 3, 1).copy() if "nhwc" in flags else images
    scores = {}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    scores["onnxruntime"] = session.run(["score"], {"image": given})[0]
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    scores["openvino"] = compiled({"image": given})["score"]
    scores["reference"] = onnx.reference.ReferenceEvaluator(str(path)).run(
        ["score"], {"image": given}
    )[0]
    for runtime, score in scores.items():
        gap = abs(score - expected).max()
        print(f"discriminator, {runtime}, {' '.join(flags)}: {gap:.2e}")
        assert score.shape == (3, 1) and gap <= cost, runtime
    assert abs(scores["onnxruntime"] - scores["openvino"]).max() <= TOLERANCE
    # Its test data are correct, and inspect reports the discriminator's sizes.
    image, score = (
        onnx.numpy_helper.to_array(onnx.load_tensor(tmp_path / "test_data_set_0" / name))
        for name in ("input_0.pb", "output_0.pb")
    )
    assert abs(session.run(["score"], {"image": image})[0] - score).max() <= TOLERANCE
    report = json.loads(bollygan_export("inspect", "--json", path).stdout)
    found = report["network"]
    assert (found["kind"], found["side"], found["width"]) == (
        "discriminator", shape["side"], shape["ndf"],
    )  # fmt: skip


# Sides and channels that other programs' networks can have, though none are trained here.
@pytest.mark.parametrize("side", [16, 256])
def test_the_smallest_and_the_largest_side_run_everywhere(
    side, tmp_path, bollygan_export, bollygan_infer
):
    tensors = networks.random_generator(nz=6, ngf=2, side=side, channels=1, seed=3)
    networks.save(tensors, tmp_path / "g.safetensors")
    path = tmp_path / "g.onnx"
    bollygan_export("--model", tmp_path / "g.safetensors", path)
    checked(path)
    latents = numpy.random.RandomState(4).randn(2, 6).astype("float32")
    numpy.save(tmp_path / "z.npy", latents)
    bollygan_infer(
        "--model", path, "--latents", tmp_path / "z.npy", "--out", tmp_path / "x.npy"
    )
    expected = networks.generate(tensors, latents)
    assert abs(numpy.load(tmp_path / "x.npy") - expected).max() <= TOLERANCE
    for runtime in run_onnxruntime, run_openvino:
        assert abs(runtime(path, latents.reshape(2, 6, 1, 1)) - expected).max() <= TOLERANCE


@pytest.mark.parametrize("dtype", ["f32", "int8"])
def test_weights_in_a_separate_file_are_found(dtype, small, tmp_path, bollygan_export):
    path = tmp_path / "model.onnx"
    bollygan_export("--model", small.path, "--dtype", dtype, "--external-data", path)
    assert {file.name for file in tmp_path.iterdir()} == {"model.onnx", "model.onnx.data"}
    checked(path)
    onnx.checker.check_model(str(path), full_check=True)
    outside = [t for t in onnx.load(path, load_external_data=False).graph.initializer
               if t.data_location == onnx.TensorProto.EXTERNAL]  # fmt: skip
    # Each value is in one of the two files, not in both.
    assert outside and not any(tensor.raw_data for tensor in outside)
    assert path.stat().st_size < 8192 <= 2 * (tmp_path / "model.onnx.data").stat().st_size
    embedded = tmp_path / "embedded.onnx"
    bollygan_export("--model", small.path, "--dtype", dtype, embedded)
    latents = small.latents[:3].reshape(3, -1, 1, 1)
    for runtime in run_onnxruntime, run_openvino:
        assert numpy.array_equal(runtime(path, latents), runtime(embedded, latents))
    # This program reads it too.
    bollygan_export("diff", path, embedded)


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--output-range", "u8", "--layout", "nhwc", "--latent-rank", "2"],
        ["--output-range", "01", "--batch", "5", "--dtype", "int8"],
    ],
    ids=lambda flags: " ".join(flags) or "plain",
)
def test_test_data_matches_onnxruntime(flags, small, tmp_path, bollygan_export):
    path = tmp_path / "model.onnx"
    bollygan_export("--model", small.path, "--test-data", *flags, path)
    latent, image = (
        onnx.numpy_helper.to_array(onnx.load_tensor(tmp_path / "test_data_set_0" / name))
        for name in ("input_0.pb", "output_0.pb")
    )
    given = run_onnxruntime(path, latent)
    assert given.shape == image.shape and given.dtype == image.dtype
    bound = 1 if image.dtype == numpy.uint8 else TOLERANCE
    assert abs(given.astype("float64") - image).max() <= bound
    assert image.std() > 0.1


def test_a_network_that_float32_engines_disagree_on_is_not_written(tmp_path, bollygan_export):
    # Before tanh the sums are in the millions, where float32 has steps of a tenth.
    wild = networks.random_generator(16, 4, 64, 3, last=1e6)
    networks.save(wild, tmp_path / "wild.safetensors")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what was there before")
    done = bollygan_export("--model", tmp_path / "wild.safetensors", path, status=1)
    assert b"self-check" in done.stderr
    assert path.read_bytes() == b"what was there before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.onnx", "wild.safetensors"]
