"""A run's folder, as other people's tools see it."""

import base64
import hashlib
import html.parser
import json
import re
import shutil
import subprocess

import pytest

FIGURES = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]


@pytest.fixture(scope="module")
def run(bollygan_train, tmp_path_factory):
    """A small run of three epochs that was stopped after one and gone on with."""
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
    """Checks that elements are closed in order, and keeps the texts of some."""

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
    """What holds of every page of ours; returns what its script draws."""
    parser = outline(page)
    policy = next(a["content"] for t, a in parser.found if a.get("http-equiv"))
    for element, directive in [("style", "style-src"), ("script", "script-src")]:
        text = parser.texts[element][-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    # The policy forbids them, so that one would be ignored in silence.
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
    for name, line in zip(FIGURES, losses["lines"]):
        assert line["x"] == [step["step"] for step in steps]
        # Five significant digits are what a curve shows.
        assert line["y"] == [pytest.approx(step[name], rel=5e-5) for step in steps]
    assert figures["last"] == 18 and figures["stepsPerEpoch"] == 6
    assert figures["marks"] == [{"step": 6, "name": "resume"}]


@pytest.mark.skipif(not shutil.which("node"), reason="no node to read the script with")
def test_report_script_is_javascript(run, tmp_path):
    script = outline((run / "report.html").read_text()).texts["script"][-1]
    (tmp_path / "page.js").write_text(script)
    subprocess.run(["node", "--check", tmp_path / "page.js"], check=True)
