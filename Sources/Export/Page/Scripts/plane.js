// The plane of seeds: the point (x, y) has the seed x + 100 y, and faces in between are
// interpolated (slerp, with the layout of StyleGAN's viewer). A map shows the seeds around a point;
// a lens in its middle shows the face at that point.

import { $, paintPixels, prefersLessMotion } from "./app.js";
import { formatFace, planeFace, rowLength, seedAt, seedCount } from "./faces.js";
import { cached } from "./latents.js";

/** Faces that the map remembers. */
const tileLimit = 600;
/** Duration of a journey to another point, in milliseconds. */
const journeyTime = 450;

export function startPlane(app) {
  const map = $("map");
  const tiles = new Map();
  let journey = 0;
  /** Where the journey ends; null without one. */
  let target = null;
  let isScheduled = false;

  const spacing = () => Math.max(76, Math.min(132, map.clientWidth / 7));
  const isShown = () => !$("panel-plane").hidden;

  // --- Position

  const rounded = (value) => Math.round(value * 1000) / 1000;

  function moveTo(x, y) {
    const limit = seedCount / rowLength;
    const inside = (value) => rounded(Math.max(-limit, Math.min(limit, value)));
    app.state.plane = { x: inside(x), y: inside(y) };
    app.show(planeFace(app.state.plane.x, app.state.plane.y));
  }

  function stop() {
    cancelAnimationFrame(journey);
    target = null;
  }

  /** Moves there, through the faces in between unless the reader wants less motion. */
  function travelTo(x, y) {
    stop();
    const from = { ...app.state.plane };
    const isFar = Math.hypot(x - from.x, y - from.y) > 8;
    if (prefersLessMotion() || isFar) {
      moveTo(x, y);
      return;
    }
    target = { x, y };
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / journeyTime));
      const eased = t * t * (3 - 2 * t);
      if (t === 1) {
        target = null;
        moveTo(x, y);
      } else {
        moveTo(from.x + (x - from.x) * eased, from.y + (y - from.y) * eased);
        journey = requestAnimationFrame(step);
      }
    };
    journey = requestAnimationFrame(step);
  }

  // --- Map

  function schedule() {
    if (isScheduled || !isShown()) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      drawMap();
    });
  }

  /** Lattice points on the map, with their places in it. */
  function visiblePoints() {
    const { x, y } = app.state.plane;
    const unit = spacing();
    const [width, height] = [map.clientWidth, map.clientHeight];
    const [across, down] = [width / 2 / unit + 0.5, height / 2 / unit + 0.5];
    const points = [];
    for (let row = Math.ceil(y - down); row <= Math.floor(y + down); row++) {
      for (let column = Math.ceil(x - across); column <= Math.floor(x + across); column++) {
        points.push({
          seed: seedAt(column, row),
          left: width / 2 + (column - x) * unit,
          top: height / 2 + (row - y) * unit,
        });
      }
    }
    // The middle is drawn first.
    const distance = (point) => Math.hypot(point.left - width / 2, point.top - height / 2);
    return points.sort((a, b) => distance(a) - distance(b));
  }

  function tile(seed) {
    return cached(tiles, seed, tileLimit, () => {
      const tile = { canvas: null };
      const wanted = () => isShown() && visiblePoints().some((point) => point.seed === seed);
      app.draw({ kind: "seed", seed }, { wanted }).then((pixels) => {
        if (!pixels) {
          tiles.delete(seed);
          return;
        }
        tile.canvas = document.createElement("canvas");
        paintPixels(tile.canvas, pixels, app.side);
        schedule();
      }, () => tiles.delete(seed));
      return tile;
    });
  }

  function drawMap() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [map.clientWidth, map.clientHeight];
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (map.width !== wide || map.height !== high) [map.width, map.height] = [wide, high];
    const pen = map.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.imageSmoothingQuality = "high";
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name);
    const unit = spacing();
    const size = unit - 8;
    pen.font = `600 ${unit > 90 ? 12 : 11}px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";
    for (const { seed, left, top } of visiblePoints()) {
      pen.save();
      pen.beginPath();
      pen.roundRect(left - size / 2, top - size / 2, size, size, 12);
      pen.fillStyle = color("--tint");
      pen.fill();
      pen.clip();
      const { canvas } = tile(seed);
      if (canvas) pen.drawImage(canvas, left - size / 2, top - size / 2, size, size);
      const label = String(seed);
      const wideLabel = pen.measureText(label).width + 12;
      pen.fillStyle = "rgb(0 0 0 / .62)";
      pen.beginPath();
      pen.roundRect(left - size / 2 + 5, top + size / 2 - 23, wideLabel, 18, 9);
      pen.fill();
      pen.fillStyle = "#fff";
      pen.fillText(label, left - size / 2 + 11, top + size / 2 - 13.5);
      pen.restore();
    }
    drawLens(pen, width / 2, height / 2, unit * 0.64, color);
  }

  /** The face between the seeds, in a circle over the place that it belongs to. */
  function drawLens(pen, left, top, radius, color) {
    const { x, y } = app.state.plane;
    const isHere = formatFace(app.state.face) === formatFace(planeFace(x, y));
    pen.save();
    pen.beginPath();
    pen.arc(left, top, radius, 0, 2 * Math.PI);
    pen.shadowColor = "rgb(0 0 0 / .5)";
    pen.shadowBlur = 22;
    pen.strokeStyle = color("--card");
    pen.lineWidth = 9;
    pen.stroke();
    pen.shadowColor = "transparent";
    if (isHere && app.pixels) {
      pen.clip();
      pen.drawImage($("face"), left - radius, top - radius, 2 * radius, 2 * radius);
    }
    pen.restore();
    pen.beginPath();
    pen.arc(left, top, radius + 1, 0, 2 * Math.PI);
    pen.strokeStyle = color("--accent");
    pen.lineWidth = 3;
    pen.stroke();
  }

  // --- Pointer and keys

  let drag = null;
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stop();
    map.setPointerCapture(event.pointerId);
    const { x, y } = app.state.plane;
    drag = { left: event.clientX, top: event.clientY, x, y, isMoved: false };
  });
  map.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [across, down] = [event.clientX - drag.left, event.clientY - drag.top];
    // The pointer may move a little during a click.
    if (!drag.isMoved && Math.hypot(across, down) < 4) return;
    drag.isMoved = true;
    map.classList.add("dragged");
    moveTo(drag.x - across / spacing(), drag.y - down / spacing());
  });
  const release = (event) => {
    map.classList.remove("dragged");
    if (drag && !drag.isMoved && event.type === "pointerup") {
      const box = map.getBoundingClientRect();
      const across = (event.clientX - box.left - box.width / 2) / spacing();
      const down = (event.clientY - box.top - box.height / 2) / spacing();
      travelTo(Math.round(drag.x + across), Math.round(drag.y + down));
    }
    drag = null;
  };
  map.addEventListener("pointerup", release);
  map.addEventListener("pointercancel", release);

  map.addEventListener("keydown", (event) => {
    const directions = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    };
    const direction = directions[event.key];
    // Presses during a journey start from its end.
    const { x, y } = target ?? app.state.plane;
    if (event.key === "Home") travelTo(Math.round(x), Math.round(y));
    else if (direction && event.shiftKey) {
      // To the next lattice point in that direction.
      const next = (at, way) => (way > 0 ? Math.floor(at) + 1 : way < 0 ? Math.ceil(at) - 1 : at);
      travelTo(next(x, direction[0]), next(y, direction[1]));
    } else if (direction) {
      stop();
      moveTo(x + direction[0] / 10, y + direction[1] / 10);
    } else return;
    event.preventDefault();
  });

  // --- Boxes

  function goToSeed(seed) {
    moveTo(seed % rowLength, Math.floor(seed / rowLength));
  }
  $("seed").addEventListener("change", () => {
    const seed = Number($("seed").value);
    if ($("seed").value !== "" && Number.isInteger(seed) && seed >= 0 && seed < seedCount) {
      stop();
      goToSeed(seed);
    } else showPosition();
  });
  for (const axis of ["x", "y"]) {
    $(`plane-${axis}`).addEventListener("change", (event) => {
      stop();
      const value = event.target.valueAsNumber;
      if (Number.isFinite(value)) moveTo(...Object.values({ ...app.state.plane, [axis]: value }));
      else showPosition();
    });
  }
  $("random-seed").addEventListener("click", () => {
    stop();
    // Short numbers are easier to remember, and give plenty of faces.
    goToSeed(Math.floor(Math.random() * 100_000));
  });

  function showPosition() {
    const { x, y } = app.state.plane;
    $("seed").value = seedAt(Math.round(x), Math.round(y));
    $("plane-x").value = x;
    $("plane-y").value = y;
    schedule();
  }

  /** The map follows when another part of the page shows a face of the plane. */
  function follow() {
    const { face, plane } = app.state;
    if (face.kind === "seed" && seedAt(plane.x, plane.y) !== face.seed) {
      app.state.plane = { x: face.seed % rowLength, y: Math.floor(face.seed / rowLength) };
    } else if (face.kind === "plane") app.state.plane = { x: face.x, y: face.y };
    showPosition();
  }

  app.on("face", follow);
  app.on("drawn panel", schedule);
  new ResizeObserver(schedule).observe(map);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", schedule);
}
