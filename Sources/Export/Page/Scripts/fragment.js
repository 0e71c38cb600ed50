// The state of the page as the fragment of its address, so that a link restores it.

import { formatFace, isTorchSeed, keptLimit, parseFace, seedCount, stepLimit } from "./faces.js";

/** Longest fragment that is read: 64 kept faces with names are well below it. */
const fragmentLimit = 60_000;

/** Longest name of a kept face. */
export const nameLimit = 40;

/** The panels, in the order of their tabs. */
export const panels = ["plane", "wall", "mix", "walk", "about"];

/** The state of a page that was opened without a fragment. */
export function defaultState() {
  return {
    panel: "plane",
    face: { kind: "seed", seed: 2449 },
    plane: { x: 49, y: 24 },
    wall: { random: "torch", seed: "42" },
    kept: [],
    mix: { of: [0, 1, 2], factor: 0.7 },
    walk: { steps: 30, loop: true, step: 0 },
  };
}

/** The fragment of a state, without the number sign. */
export function formatFragment(state, model) {
  const { plane, wall, mix, walk } = state;
  const fields = [
    ["model", model.slice(0, 12)],
    ["panel", state.panel],
    ["face", formatFace(state.face)],
    ["plane", `${plane.x},${plane.y}`],
    ["wall", `${wall.random}:${wall.seed}`],
  ];
  if (state.kept.length) {
    fields.push(["mix", `${mix.factor}:${mix.of.join(",")}`]);
    fields.push(["walk", `${walk.steps}:${walk.loop ? "loop" : "line"}:${walk.step}`]);
  }
  for (const { face, name } of state.kept) fields.push(["keep", `${formatFace(face)}~${name}`]);
  // Browsers accept these characters in a fragment, and a link without escapes can be read.
  const readable = (text) =>
    encodeURIComponent(text).replace(/%(3A|2C|3B|7E|28|29)/gi, decodeURIComponent);
  return fields.map(([key, value]) => `${key}=${readable(value)}`).join("&");
}

/**
 * Parses a fragment into a state and the model that it was made with.
 *
 * Throws a SyntaxError at anything that `formatFragment` does not write.
 */
export function parseFragment(fragment) {
  if (fragment.length > fragmentLimit) throw new SyntaxError("too long");
  const state = defaultState();
  const seen = new Set();
  let model = "";

  const readers = {
    model: (text) => (model = match(text, /^[0-9a-f]{12}$/)[0]),
    panel: (text) => {
      if (!panels.includes(text)) throw new SyntaxError("no such panel");
      state.panel = text;
    },
    face: (text) => (state.face = parseFace(text)),
    plane: (text) => {
      const [, x, y] = match(text, /^(-?\d{1,8}(?:\.\d{1,3})?),(-?\d{1,8}(?:\.\d{1,3})?)$/);
      state.plane = { x: Number(x), y: Number(y) };
    },
    wall: (text) => {
      const [, random, seed] = match(text, /^(torch|numpy):(-?\d{1,20})$/);
      if (!isWallSeed(random, seed)) throw new SyntaxError("number out of range");
      state.wall = { random, seed };
    },
    keep: (text) => {
      const end = text.indexOf("~");
      const name = text.slice(end + 1);
      if (end < 0 || name.length > nameLimit || state.kept.length === keptLimit) {
        throw new SyntaxError("not a kept face");
      }
      state.kept.push({ face: parseFace(text.slice(0, end)), name });
    },
    mix: (text) => {
      const [, factor, ...of] = match(text, /^(-?\d(?:\.\d{1,2})?):(\d{1,2}),(\d{1,2}),(\d{1,2})$/);
      state.mix = { factor: inside(factor, -2, 2), of: of.map((i) => inside(i, 0, keptLimit - 1)) };
    },
    walk: (text) => {
      const [, steps, path, step] = match(text, /^(\d{1,3}):(loop|line):(\d{1,5})$/);
      state.walk = {
        steps: inside(steps, 1, stepLimit),
        loop: path === "loop",
        step: inside(step, 0, keptLimit * stepLimit),
      };
    },
  };

  function match(text, pattern) {
    const found = pattern.exec(text);
    if (!found) throw new SyntaxError("unexpected text");
    return found;
  }

  function inside(digits, least, most) {
    const value = Number(digits);
    if (!(value >= least && value <= most)) throw new SyntaxError("number out of range");
    return value;
  }

  for (const field of fragment.split("&")) {
    const equals = field.indexOf("=");
    const key = field.slice(0, Math.max(equals, 0));
    if (!Object.hasOwn(readers, key) || (seen.has(key) && key !== "keep")) {
      throw new SyntaxError("unexpected field");
    }
    seen.add(key);
    let value;
    try {
      value = decodeURIComponent(field.slice(equals + 1));
    } catch {
      throw new SyntaxError("broken escape");
    }
    readers[key](value);
  }
  if (!seen.has("face")) throw new SyntaxError("no face");
  return { state, model };
}

/** Whether a wall can show a seed: torch's range, or 64 of NumPy's seeds from this one on. */
export function isWallSeed(random, text) {
  if (random === "torch") return isTorchSeed(text);
  return /^\d{1,10}$/.test(text) && Number(text) <= seedCount - 64;
}
