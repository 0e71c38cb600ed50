"""Checks of the repository as a whole: its files, its safety rules, and its documentation."""

import ast
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = ("bollygan-infer", "bollygan-train", "bollygan-export")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


FILES = tracked()
MARKDOWN = [name for name in FILES if name.endswith(".md")]


def text(name):
    """The text of a tracked file, or "" if it is binary."""
    content = (ROOT / name).read_bytes()
    try:
        return "" if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return ""


# --- Contents of the repository


def test_only_models_are_larger_than_two_megabytes():
    large = {
        name: (ROOT / name).stat().st_size
        for name in FILES
        if not name.startswith("models/") and (ROOT / name).stat().st_size > 2_000_000
    }
    assert not large


def test_model_card_and_readme_grid_belong_to_the_shipped_weights():
    (model,) = (ROOT / "models").glob("*.safetensors")
    content = model.read_bytes()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    name = hashlib.sha256(tensors).hexdigest()
    assert name in text("models/README.md")
    assert name.encode() in (ROOT / "Documentation/images/faces.png").read_bytes()


def test_repository_has_no_pickles_and_no_photographs():
    # A pickle can run code when it is loaded, and a JPEG is probably a photograph. The JPEGs that
    # test the decoder were drawn, and are in a Fixtures folder.
    assert not [
        name
        for name in FILES
        if re.search(r"\.(pth|pt|pkl|ckpt|jpe?g)$", name, re.I) and "/Fixtures/" not in name
    ]


def test_files_contain_no_path_of_one_machine():
    # /tmp/ followed by XXXXXX is a template for mkdtemp, not a path.
    machine = re.compile(
        r"(?<![\w.])(/(work|root)/\w|/(home|Users)/\w{2,}/|/tmp/(?!\S*XXXXXX)\w)"
    )
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in FILES
        if name != "LICENSE" and "/house/" not in name
        for number, line in enumerate(text(name).splitlines(), 1)
        if machine.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_unfinished_work_and_no_disabled_tests():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\.disabled\(|withKnownIssue|pytest\.mark\.xfail")
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in FILES
        if name.endswith((".swift", ".c", ".h", ".inc", ".py", ".sh")) and "/house/" not in name
        for number, line in enumerate(text(name).splitlines(), 1)
        if marks.search(line)
    ]
    assert not found, "\n".join(found)


# --- Comments

# The last is a C header in a string literal: its bytes are the exporter's output.
GENERATED = re.compile(r"\.pb-c\.[ch]$|/CSource\+Template\.swift$")
# Markers in the middle of a line need a space on both sides: URLs and patterns contain them too.
COMMENTS = {
    "swift c h inc proto": re.compile(r"\s*(//|/?\*)|.* // "),
    "py": re.compile(r"\s*#|.*  # "),
    "sh make": re.compile(r"\s*#|.* # "),
}


def language(name):
    """The suffix of a file, or "sh" for a script without one."""
    suffix = pathlib.PurePath(name).suffix.removeprefix(".")
    return "make" if name == "Makefile" else suffix or ("sh" if text(name)[:2] == "#!" else "")


def docstring_lines(source):
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, nodes) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, node.body[0].end_lineno + 1)


def test_comments_and_docstrings_stay_within_100_columns():
    long = []
    for name in FILES:
        for languages, comment in COMMENTS.items():
            if language(name) in languages.split() and not GENERATED.search(name):
                source = text(name)
                docstrings = set(docstring_lines(source)) if name.endswith(".py") else set()
                long += [
                    f"{name}:{number}: {len(line)} columns"
                    for number, line in enumerate(source.splitlines(), 1)
                    if len(line) > 100 and (comment.match(line) or number in docstrings)
                ]
    assert not long, "\n".join(long)


def test_swift_files_open_with_what_they_are_for():
    # Empty lines, imports, attributes and conditional compilation may come first.
    before = re.compile(r"\s*((@\w+ |\w+ )?import .*|@\w+|#(if|elseif|else|endif)\b.*)?")
    silent = []
    for name in FILES:
        if re.match(r"Sources/.*\.swift$", name):
            code = (line for line in text(name).splitlines() if not before.fullmatch(line))
            if not next(code).startswith("//"):
                silent.append(name)
    assert not silent, "no comment before the first declaration:\n" + "\n".join(silent)


# --- Memory safety

# Everything that parses bytes a stranger may have written. Images are decoded by C libraries; the
# Swift code that walks over their files first is listed here.
READERS = [
    "Sources/Model/Safetensors/*.swift",
    "Sources/Model/Weights/StoredTensor*.swift",
    "Sources/Model/Weights/StateDict.swift",
    "Sources/Model/NPY/*.swift",
    "Sources/Model/Random/Latents+Files.swift",
    "Sources/Pictures/PNG/PNGChunks.swift",
    "Sources/Pictures/EXIF.swift",
    "Sources/Export/ONNX/Reading/ONNXScan*.swift",
    "Sources/Export/ONNX/Reading/ONNXGraph*.swift",
    "Sources/Export/ONNX/Reading/ONNXFeatureMap*.swift",
    "Sources/Export/ONNX/Reading/ONNXConstant*.swift",
    "Sources/Export/ONNX/Reading/ONNXNodeAttributes.swift",
    "Sources/Export/ONNX/Reading/ONNXShapeOperators.swift",
    "Sources/Export/ONNX/Reading/FoundNetwork.swift",
    "Sources/Export/Torch/PickleReader.swift",
    "Sources/Export/Torch/TorchFile.swift",
    "Sources/Export/Torch/TensorCollector.swift",
    "Sources/Export/Torch/ZipArchive.swift",
    "Sources/Train/Runs/Checkpoints/Checkpoint.swift",
    "Sources/Train/Runs/Record/RunRecord.swift",
    "Sources/Train/Runs/Events/LogEvent+Parsing.swift",
]


def unsafe_uses(name):
    """How often the keyword `unsafe` occurs outside comments and strings."""
    code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"", "", text(name))
    return len(re.findall(r"\bunsafe\b", code))


@pytest.mark.parametrize("pattern", READERS)
def test_readers_are_free_of_unsafe_code(pattern):
    files = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(pattern))]
    assert files, f"{pattern} matches no file: name the reader that replaced it"
    assert not {name: unsafe_uses(name) for name in files if unsafe_uses(name)}


def test_unsafe_code_does_not_grow():
    count = sum(unsafe_uses(name) for name in FILES if re.match(r"Sources/.*\.swift$", name))
    recorded = int((ROOT / "Tests/house/unsafe-count").read_text())
    assert count <= recorded, (
        f"`unsafe` occurs {count} times in Sources, and {recorded} are recorded. If the new ones are "
        "needed, write the new number to Tests/house/unsafe-count, in a commit that says why."
    )


# --- Documentation


def anchor(heading):
    """The anchor that GitHub gives a Markdown heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda found: found[1] or "", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(path):
    return {
        anchor(line.lstrip("#"))
        for line in re.sub(r"```.*?```", "", path.read_text(), flags=re.S).splitlines()
        if re.match(r"#+ ", line)
    }


@pytest.mark.parametrize("name", MARKDOWN)
def test_links_and_their_anchors_exist(name):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text(name), flags=re.S)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(
        r"(?:src|href)=\"([^\"]+)\"", prose
    )
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists():
            broken.append(target)
        elif fragment and file.suffix == ".md" and fragment not in anchors(file):
            broken.append(target)
    assert not broken


def test_readme_links_to_every_document():
    documents = {name for name in MARKDOWN if name.startswith("Documentation/")}
    assert not {name for name in documents if f"]({name})" not in text("README.md")}


def shown_commands(name):
    """The uses of our commands in the shell blocks of a text, with continued lines joined."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text(name), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for start, word in enumerate(words):
                if pathlib.PurePath(word).name in COMMANDS:
                    rest = words[start + 1 :]
                    ends = [at for at, other in enumerate(rest) if other in ("|", "&&", ";", ">")]
                    yield pathlib.PurePath(word).name, rest[: ends[0] if ends else None]


def help_text(*command):
    folder = pathlib.Path(os.environ.get("BOLLYGAN_BIN", ROOT / ".build" / "release"))
    return subprocess.run(
        [folder / command[0], *command[1:], "--help"], capture_output=True, check=True, text=True
    ).stdout


@pytest.mark.parametrize("name", MARKDOWN)
def test_documented_commands_use_options_that_exist(name):
    unknown = []
    for command, words in shown_commands(name):
        own = help_text(command)
        subcommands = re.findall(r"^  ([a-z][a-z-]+)(?: \(default\))?(?:\s{2,}|$)", own, re.M)
        default = re.findall(r"^  ([a-z][a-z-]+) \(default\)", own, re.M)
        if words and words[0] in subcommands:
            known = help_text(command, words[0])
        else:
            known = own + "".join(help_text(command, name) for name in default)
        for word in words:
            flag = re.match(r"--?[a-z][a-z0-9-]*", word)
            # The help must list the option itself; an example that mentions it does not count.
            option = rf"^  (?:\S+[,/] ?)*{re.escape(flag[0])}(?![\w-])" if flag else ""
            if not re.search(option, known, re.M):
                unknown.append(f"{command} {' '.join(words)}: no {flag[0]}")
    assert not unknown, "\n".join(unknown)


def test_documented_make_targets_exist():
    targets = set(re.findall(r"^([a-z0-9-]+):", text("Makefile"), re.M))
    unknown = {
        f"{name}: make {target}"
        for name in MARKDOWN
        for target in re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", text(name), re.M)
        if target not in targets
    }
    assert not unknown


def test_documented_exit_statuses_match_the_source():
    source = text("Sources/Terminal/ExitStatus.swift")
    defined = {int(number) for number in re.findall(r"case \w+ = (\d+)", source)}
    documented = {
        int(number) for number in re.findall(r"^\| (\d+) +\|", text("Documentation/Files.md"), re.M)
    }
    assert documented == defined


def test_changelog_covers_the_current_version():
    version = re.search(r"bollyganVersion = \"([^\"]+)\"", text("Sources/Model/Version.swift"))[1]
    changes = text("CHANGELOG.md")
    assert "## [Unreleased]" in changes or f"## [{version}]" in changes


def test_documented_module_dependencies_match_the_manifest():
    described = subprocess.run(
        ["swift", "package", "describe", "--type", "json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    targets = {target["name"]: target for target in json.loads(described)["targets"]}
    row = re.compile(r"^\| `(BollyGAN\w+)` +\|((?: `BollyGAN\w+`)*) +\|$", re.M)
    documented = {
        module: set(re.findall(r"`(\w+)`", known))
        for module, known in row.findall(text("Documentation/Architecture.md"))
    }
    actual = {
        name: set(targets[name].get("target_dependencies", [])) & documented.keys()
        for name in documented
    }
    assert documented == actual
    libraries = {
        name
        for name, target in targets.items()
        if name.startswith("BollyGAN") and not name.endswith("Shims")
    }
    assert set(documented) == libraries
