// A walk through the kept faces, in the same steps as `bollygan-infer interpolate`.

import { $, prefersLessMotion } from "./app.js";
import { download } from "./bytes.js";
import { seedList, encodeAnimation, encodePNG, walkTexts } from "./png.js";
import { stepLimit, walkCount } from "./faces.js";
import { announce, notice } from "./notices.js";
import { encodeNPY } from "./npy.js";

/** Milliseconds of a frame, on the page and in a file. */
const frameTime = 33;
/** Faces on the strip that the page shows: half as many where there is little room. */
const previewCount = () => ($("strip").clientWidth < 500 ? 6 : 12);
/** Steps between two faces of a strip that is saved: the command's default. */
const stripSteps = 8;
/** Black pixels around the faces of a strip, as in the command's grids. */
const gridLine = 2;
/** Frames that an animation may have. */
const frameLimit = 2400;

export function startWalk(app) {
  let timer = 0;
  let preview = "";

  /** The walk, at its first step. */
  function walk(steps = app.state.walk.steps) {
    const ends = app.state.kept.map(({ face }) => face);
    return { kind: "walk", steps, loop: app.state.walk.loop, step: 0, ends };
  }
  const count = () => walkCount(walk());
  const faceAt = (step) => ({ ...walk(), step });
  const isPossible = () => app.state.kept.length > 1;

  function update() {
    $("walk-empty").hidden = isPossible();
    $("walk-form").hidden = !isPossible();
    const { walk: state } = app.state;
    if (!isPossible()) {
      stop();
      return;
    }
    state.step = Math.min(state.step, count() - 1);
    $("walk-steps").value = state.steps;
    $("walk-loop").checked = state.loop;
    $("walk-step").max = count() - 1;
    $("walk-step").value = state.step;
    $("walk-value").textContent = `${state.step} of ${count() - 1}`;
    $("walk-command").textContent = command();
    $("save-animation").disabled = count() > frameLimit;
    if (!$("panel-walk").hidden) drawPreview();
  }

  /** The command that draws the same walk. */
  function command() {
    const { ends, steps, loop } = walk();
    const model = app.facts.isShipped ? "" : ` --model ${app.facts.file}`;
    const isSeeds = ends.every((end) => end.kind === "seed");
    const latents = isSeeds
      ? `--seeds ${seedList(ends.map((end) => end.seed))}`
      : "--latents walk.npy";
    return (
      `bollygan-infer interpolate${model} ${latents} --steps ${steps}` +
      `${loop ? " --loop" : ""} --out walk.webp`
    );
  }

  /** Faces at equal distances on the walk, side by side. */
  async function drawPreview() {
    const text = JSON.stringify(walk());
    if (preview === text) return;
    preview = text;
    const strip = $("strip");
    const total = Math.min(previewCount(), count());
    strip.width = app.side * total;
    strip.height = app.side;
    const pen = strip.getContext("2d");
    for (let i = 0; i < total; i++) {
      const step = Math.round((i * (count() - 1)) / Math.max(1, total - 1));
      app.draw(faceAt(step), { wanted: () => preview === text }).then((pixels) => {
        if (!pixels || preview !== text) return;
        pen.putImageData(new ImageData(pixels, app.side, app.side), i * app.side, 0);
      }, () => {});
    }
  }

  function goTo(step) {
    app.state.walk.step = step;
    update();
    app.show(faceAt(step));
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    $("play").textContent = "Play";
  }

  $("play").addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    $("play").textContent = "Pause";
    // Fewer frames for those who want less motion.
    const [every, step] = prefersLessMotion() ? [500, 5] : [frameTime, 1];
    timer = setInterval(() => goTo((app.state.walk.step + step) % count()), every);
  });

  $("walk-step").addEventListener("input", (event) => {
    stop();
    goTo(event.target.valueAsNumber);
  });
  $("walk-steps").addEventListener("change", (event) => {
    const steps = event.target.valueAsNumber;
    if (Number.isInteger(steps) && steps >= 1 && steps <= stepLimit) app.state.walk.steps = steps;
    goTo(Math.min(app.state.walk.step, count() - 1));
  });
  $("walk-loop").addEventListener("change", (event) => {
    app.state.walk.loop = event.target.checked;
    goTo(Math.min(app.state.walk.step, count() - 1));
  });

  // --- Files

  const latentsOf = (faces) => faces.map((face) => app.latent(face));

  /** Draws a walk and hands its frames to a function that makes a file of them. */
  async function save(button, name, walk, encode) {
    button.disabled = true;
    try {
      const total = walkCount(walk);
      const frames = await Promise.all(
        Array.from({ length: total }, (_, step) => app.draw({ ...walk, step })),
      );
      const texts = walkTexts(walk, latentsOf(walk.ends), app.facts);
      download(await encode(frames, texts), name, "image/png");
      announce(`${name} saved: ${total} faces.`);
    } catch (error) {
      notice(`${name} could not be made: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  }

  $("save-animation").addEventListener("click", (event) =>
    save(event.target, "walk.png", walk(), (frames, texts) =>
      encodeAnimation(frames, app.side, app.side, app.channels, texts, frameTime),
    ),
  );

  $("save-strip").addEventListener("click", (event) =>
    save(event.target, "strip.png", walk(stripSteps), (frames, texts) => {
      const cell = app.side + gridLine;
      const [width, height] = [cell * frames.length + gridLine, cell + gridLine];
      const data = new Uint8ClampedArray(width * height * 4);
      frames.forEach((frame, index) => {
        for (let row = 0; row < app.side; row++) {
          const pixels = frame.subarray(row * app.side * 4, (row + 1) * app.side * 4);
          data.set(pixels, ((row + gridLine) * width + index * cell + gridLine) * 4);
        }
      });
      const grid = [["bollygan:columns", String(frames.length)], ["bollygan:rows", "1"]];
      return encodePNG({ data, width, height }, app.channels, [...texts, ...grid]);
    }),
  );

  $("save-walk").addEventListener("click", () => {
    // The ends alone: the command walks between them itself.
    download(encodeNPY(latentsOf(walk().ends)), "walk.npy", "application/octet-stream");
    announce(`walk.npy saved: ${walk().ends.length} latents.`);
  });

  app.on("kept names state", update);
  app.on("panel", () => {
    if (app.state.panel !== "walk") stop();
    update();
    if (app.state.panel === "walk" && app.isOpened && isPossible()) goTo(app.state.walk.step);
  });
}
