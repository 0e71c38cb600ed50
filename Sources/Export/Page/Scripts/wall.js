// The wall: 64 faces of one seed (torch's meaning) or of 64 seeds in a row (NumPy's).

import { $ } from "./app.js";
import { formatFace, isTorchSeed, seedCount, titleOf } from "./faces.js";
import { isWallSeed } from "./fragment.js";
import { RandomLatents } from "./latents.js";

const count = RandomLatents.count;

export function startWall(app) {
  const wall = $("wall");
  const buttons = Array.from({ length: count }, (_, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = index ? -1 : 0;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = app.side;
    button.append(canvas);
    button.addEventListener("click", () => {
      const face = faceAt(index);
      app.toggleKept(face);
      app.show(face);
    });
    button.addEventListener("focus", () => {
      for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
    });
    return button;
  });
  wall.append(...buttons);

  function faceAt(index) {
    const { random, seed } = app.state.wall;
    if (random === "torch") return { kind: "torch", seed, index };
    return { kind: "seed", seed: Number(seed) + index };
  }

  function mark() {
    const current = formatFace(app.state.face);
    buttons.forEach((button, index) => {
      const face = faceAt(index);
      button.setAttribute("aria-pressed", app.keptIndex(face) >= 0);
      button.setAttribute("aria-current", formatFace(face) === current);
      button.setAttribute("aria-label", titleOf(face));
    });
  }

  async function draw() {
    const { random, seed } = app.state.wall;
    $("wall-random").value = random;
    $("wall-seed").value = seed;
    $("wall-seed-label").textContent = random === "torch" ? "Seed" : "First seed";
    $("wall-error").textContent = "";
    mark();
    if ($("panel-wall").hidden) return;
    const start = performance.now();
    delete wall.dataset.milliseconds;
    await Promise.all(buttons.map((button, index) => app.paint(button.firstChild, faceAt(index))));
    if (random === app.state.wall.random && seed === app.state.wall.seed) {
      wall.dataset.milliseconds = Math.round(performance.now() - start);
    }
  }

  function set(random, seed) {
    if (!isWallSeed(random, seed)) {
      $("wall-error").textContent =
        random === "torch"
          ? "A seed is a whole number from −2^63 to 2^64 − 1."
          : `The first seed is a whole number from 0 to ${seedCount - count}.`;
      return;
    }
    app.state.wall = { random, seed };
    draw();
    app.emit("wall");
  }

  const typed = () => $("wall-seed").value.trim().replace("−", "-");
  $("wall-seed").addEventListener("change", () => set($("wall-random").value, typed()));
  $("wall-random").addEventListener("change", () => {
    const random = $("wall-random").value;
    set(random, isWallSeed(random, typed()) ? typed() : "0");
  });
  const turn = (way) => {
    const { random, seed } = app.state.wall;
    if (random === "torch") {
      const next = String(BigInt(seed) + BigInt(way));
      if (isTorchSeed(next)) set(random, next);
      return;
    }
    set(random, String(Math.max(0, Math.min(seedCount - count, Number(seed) + way * count))));
  };
  $("wall-before").addEventListener("click", () => turn(-1));
  $("wall-after").addEventListener("click", () => turn(1));

  wall.addEventListener("keydown", (event) => {
    const columns = getComputedStyle(wall).gridTemplateColumns.split(" ").length;
    const steps = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -count, End: count,
    };
    const index = buttons.indexOf(document.activeElement);
    if (!(event.key in steps) || index < 0) return;
    event.preventDefault();
    const isEnd = event.key === "Home" || event.key === "End";
    const next = index + steps[event.key];
    if (isEnd) buttons[event.key === "Home" ? 0 : count - 1].focus();
    else if (next >= 0 && next < count) buttons[next].focus();
  });

  app.on("kept face", mark);
  app.on("panel state", draw);
}
