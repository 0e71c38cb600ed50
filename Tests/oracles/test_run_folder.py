"""The files of a run folder, read by other tools."""

import base64
import hashlib
import html.parser
import json
import re
import shutil
import subprocess

import pytest

VALUES = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]


@pytest.fixture(scope="module")
def run(bollygan_train, tmp_path_factory):
    """A small run of three epochs that was resumed after the first."""
    folder = tmp_path_factory.mktemp("runs")
    faces = folder / "faces"
    bollygan_train("draw-faces", faces, "--count", 24, "--side", 32, "--quiet")
    small = ["--side", 32, "--width", 4, "--latent", 8, "--batch", 4, "--threads", 2, "--quiet"]
    run = folder / "run"
    bollygan_train(faces, "--out", run, "--epochs", 1, *small)
    bollygan_train("--resume", run, "--epochs", 3, "--quiet")
    return run


def events(run, kind):
    lines = (run / "log.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == kind]


class Outline(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects their texts."""

    EMPTY = {"meta", "img", "input", "br", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.found, self.texts = [], [], {}

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def outline(page):
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def check_page(page):
    """Checks what holds for every page, and returns the data of its charts."""
    parser = outline(page)
    policy = next(a["content"] for t, a in parser.found if a.get("http-equiv"))
    for element, directive in [("style", "style-src"), ("script", "script-src")]:
        text = parser.texts[element][-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    # The policy would silently ignore them.
    assert not [a for _, a in parser.found if "style" in a or any(key.startswith("on") for key in a)]
    return json.loads(parser.texts["script"][0])


def test_report_is_a_page_whose_script_and_style_may_run(run):
    page = (run / "report.html").read_text()
    figures = check_page(page)
    sheets = [a for t, a in outline(page).found if t == "img"]
    assert [sheet["data-epoch"] for sheet in sheets] == ["1", "2", "3"]
    assert all(base64.b64decode(s["src"].split(",")[1])[8:12] == b"WEBP" for s in sheets)
    losses = figures["charts"][0]
    assert [line["name"] for line in losses["lines"]] == ["discriminator", "generator"]
    steps = events(run, "step")
    for name, line in zip(VALUES, losses["lines"]):
        assert line["x"] == [step["step"] for step in steps]
        # Curves have five significant digits.
        assert line["y"] == [pytest.approx(step[name], rel=5e-5) for step in steps]
    assert figures["last"] == 18 and figures["stepsPerEpoch"] == 6
    assert figures["marks"] == [{"step": 6, "name": "resume"}]


@pytest.mark.skipif(not shutil.which("node"), reason="no node to read the script with")
def test_report_script_is_javascript(run, tmp_path):
    script = outline((run / "report.html").read_text()).texts["script"][-1]
    (tmp_path / "page.js").write_text(script)
    subprocess.run(["node", "--check", tmp_path / "page.js"], check=True)


@pytest.fixture(scope="module")
def loaded(run):
    """The run as TensorBoard reads it, without subsampling."""
    from tensorboard.backend.event_processing import event_accumulator

    sizes = {"scalars": 0, "images": 0, "tensors": 0}
    accumulator = event_accumulator.EventAccumulator(str(run), size_guidance=sizes)
    accumulator.Reload()
    return accumulator


@pytest.mark.parametrize(
    "tag, event, key",
    [
        ("Loss/D/loss", "step", "loss_d"),
        ("Loss/G/loss", "step", "loss_g"),
        ("Loss/scores/real", "step", "d_x"),
        ("Loss/scores/fake", "step", "d_gz1"),
        ("Loss/scores/fake_after", "step", "d_gz2"),
        ("Timing/pictures_per_sec", "epoch", "pictures_per_second"),
        ("Timing/sec_per_epoch", "epoch", "seconds"),
        ("Progress/epoch", "epoch", "epoch"),
        ("Progress/lr_g", "epoch", "lr_g"),
        ("Progress/lr_d", "epoch", "lr_d"),
    ],
)
def test_tensorboard_has_the_values_of_the_log(run, loaded, tag, event, key):
    import numpy

    logged = [(line["step"], numpy.float32(line[key])) for line in events(run, event)]
    assert [(scalar.step, numpy.float32(scalar.value)) for scalar in loaded.Scalars(tag)] == logged


def test_tensorboard_has_the_sample_sheets(run, loaded):
    images = loaded.Images("fakes")
    assert [image.step for image in images] == [6, 12, 18]
    for epoch, image in enumerate(images, 1):
        sheet = (run / f"samples/epoch-000{epoch}.png").read_bytes()
        assert image.encoded_image_string == sheet
        assert (image.width, image.height) == (274, 274)


def test_tensorboard_has_the_configuration(loaded):
    (text,) = loaded.Tensors("configuration")
    metadata = loaded.SummaryMetadata("configuration")
    assert metadata.plugin_data.plugin_name == "text"
    assert "| batch | 4 |" in text.tensor_proto.string_val[0].decode()


def test_tensorboard_drops_the_steps_that_a_resumed_run_repeats(bollygan_train, run, tmp_path):
    from tensorboard.backend.event_processing import event_accumulator

    copy = tmp_path / "killed"
    shutil.copytree(run, copy)
    # As if the process was killed within a record, long after the last checkpoint.
    first, second = sorted(copy.glob("events.out.tfevents.*"))
    last = second.read_bytes()
    second.write_bytes(last[: len(last) - 7])
    (copy / "checkpoint-000018.safetensors").unlink()
    bollygan_train("--resume", copy, "--quiet")
    assert len(list(copy.glob("events.out.tfevents.*"))) == 3
    accumulator = event_accumulator.EventAccumulator(str(copy), size_guidance={"scalars": 0})
    accumulator.Reload()
    steps = [scalar.step for scalar in accumulator.Scalars("Loss/D/loss")]
    assert steps == list(range(1, 19))


def test_jq_reads_the_log(run):
    jq = shutil.which("jq")
    if not jq:
        pytest.skip("no jq here")
    question = '[inputs | select(.event == "step") | .loss_d] | add / length'
    answer = subprocess.run(
        [jq, "-n", question, run / "log.jsonl"], capture_output=True, check=True, text=True
    ).stdout
    losses = [step["loss_d"] for step in events(run, "step")]
    assert float(answer) == pytest.approx(sum(losses) / 18, rel=1e-12)


def test_pandas_reads_the_log(run):
    import pandas

    log = pandas.read_json(run / "log.jsonl", lines=True)
    steps = log[log.event == "step"].set_index("step")
    assert list(steps.index) == list(range(1, 19))
    for name in VALUES:
        assert steps[name].dtype == "float64" and steps[name].notna().all()
    assert log.schema.dropna().unique().tolist() == [1]
    assert list(log.event.iloc[[0, -1]]) == ["start", "end"]


def test_progress_is_a_bar_on_a_terminal(bollygan_train, tmp_path):
    import os
    import pty

    faces = tmp_path / "faces"
    bollygan_train("draw-faces", faces, "--count", 64, "--side", 32, "--quiet")
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [bollygan_train.path, faces, "--out", tmp_path / "run", "--side", "32", "--width", "24"]
        + ["--batch", "16", "--epochs", "30", "--threads", "2"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
    )
    os.close(end)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # on Linux, the other end was closed
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    assert process.wait() == 0 and process.stdout.read() == b""
    bars = [bar.decode() for bar in shown.split(b"\r") if b"D(G(z))" in bar]
    assert len(bars) >= 2
    for bar in bars:
        assert re.match(r"━* *\d+/30 D \d+\.\d\d G \d+\.\d\d D\(x\) [01]\.\d\d D\(G\(z\)\) ", bar)
        # Within 80 columns, with one left for the cursor.
        assert len(bar.split("\x1b")[0]) < 80
    # The bar advances. At the end it disappears, and a sentence summarises the run.
    assert bars[0].count("━") < bars[-1].count("━")
    assert b"\r\x1b[K" in shown and b"120 of 120 steps made" in shown.split(b"\r\x1b[K")[-1]
