// A face is an expression: how its latent is made. Expressions have a short text, which links and
// files carry:
//
//   seed:403                  a seed as `--seeds` takes it
//   plane:3.25,4.5            a point between the seeds x + 100 y
//   torch:42:5                face 5 of the 64 faces of `--seed 42`
//   mix:0.7(A;B;C)            A + 0.7 (B − C), where A, B and C are expressions
//   walk:30:loop:45(A;B;...)  step 45 of a walk with 30 steps from each face to the next

import { RandomLatents, mix, slerp } from "./latents.js";

/** The seeds of a row of the plane. */
export const rowLength = 100;
/** NumPy's seeds are 0 to 2^32 − 1. */
export const seedCount = 2 ** 32;
/** The most faces that can be kept, and so the most ends that a walk can have. */
export const keptLimit = 64;
/** Steps from one face to the next in a walk. */
export const stepLimit = 240;

const depthLimit = 8;
const textLimit = 20_000;

/** The seed at a lattice point of the plane; seeds continue at 0 after 2^32 − 1. */
export function seedAt(x, y) {
  return (((x + rowLength * y) % seedCount) + seedCount) % seedCount;
}

/** The face at a point of the plane; coordinates are multiples of 0.001. */
export function planeFace(x, y) {
  if (Number.isInteger(x) && Number.isInteger(y)) return { kind: "seed", seed: seedAt(x, y) };
  return { kind: "plane", x, y };
}

/** The four lattice points around a point, and its place between them. */
function corners({ x, y }) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  return {
    seeds: [
      seedAt(left, top), seedAt(left + 1, top), seedAt(left, top + 1), seedAt(left + 1, top + 1),
    ],
    right: x - left,
    down: y - top,
  };
}

/** Faces on a walk. */
export function walkCount({ ends, steps, loop }) {
  return loop ? ends.length * steps : (ends.length - 1) * steps + 1;
}

/** A face's latent. */
export function latentOf(face, random) {
  switch (face.kind) {
    case "seed":
      return random.numpy(face.seed);
    case "torch":
      return random.torch(face.seed, face.index);
    case "plane": {
      const { seeds, right, down } = corners(face);
      const [a, b, c, d] = seeds.map((seed) => random.numpy(seed));
      return slerp(slerp(a, b, right), slerp(c, d, right), down);
    }
    case "mix":
      return mix(...face.of.map((part) => latentOf(part, random)), face.factor);
    case "walk": {
      const leg = Math.floor(face.step / face.steps);
      const from = latentOf(face.ends[leg], random);
      const part = (face.step % face.steps) / face.steps;
      if (part === 0) return from;
      return slerp(from, latentOf(face.ends[(leg + 1) % face.ends.length], random), part);
    }
  }
}

/** A face's text. */
export function formatFace(face) {
  switch (face.kind) {
    case "seed":
      return `seed:${face.seed}`;
    case "torch":
      return `torch:${face.seed}:${face.index}`;
    case "plane":
      return `plane:${face.x},${face.y}`;
    case "mix":
      return `mix:${face.factor}(${face.of.map(formatFace).join(";")})`;
    case "walk":
      return (
        `walk:${face.steps}:${face.loop ? "loop" : "line"}:${face.step}` +
        `(${face.ends.map(formatFace).join(";")})`
      );
  }
}

/** Parses an expression. Throws a SyntaxError if the text is not one. */
export function parseFace(text) {
  if (text.length > textLimit) throw new SyntaxError("expression too long");
  let at = 0;

  function match(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) throw new SyntaxError("not an expression");
    at = pattern.lastIndex;
    return found;
  }

  function number(digits, limit, least = 0) {
    const value = Number(digits);
    if (!(value >= least && value <= limit)) throw new SyntaxError("number out of range");
    return value;
  }

  function list(depth, least, most) {
    const faces = [];
    match(/\(/y);
    do faces.push(face(depth + 1));
    while (match(/[;)]/y)[0] === ";" && faces.length < most);
    if (faces.length < least || text[at - 1] !== ")") throw new SyntaxError("number of faces");
    return faces;
  }

  function face(depth) {
    if (depth > depthLimit) throw new SyntaxError("nested too deeply");
    switch (match(/(seed|torch|plane|mix|walk):/y)[1]) {
      case "seed":
        return { kind: "seed", seed: number(match(/\d{1,10}/y)[0], seedCount - 1) };
      case "torch": {
        const [, seed, index] = match(/(-?\d{1,20}):(\d{1,2})/y);
        if (!isTorchSeed(seed)) throw new SyntaxError("number out of range");
        return { kind: "torch", seed, index: number(index, RandomLatents.count - 1) };
      }
      case "plane": {
        const point = /(-?\d{1,8}(?:\.\d{1,3})?),(-?\d{1,8}(?:\.\d{1,3})?)/y;
        const [, x, y] = match(point);
        return planeFace(Number(x), Number(y));
      }
      case "mix": {
        const factor = Number(match(/-?\d(?:\.\d{1,2})?/y)[0]);
        return { kind: "mix", factor, of: list(depth, 3, 3) };
      }
      case "walk": {
        const [, steps, path, step] = match(/(\d{1,3}):(loop|line):(\d{1,5})/y);
        const walk = {
          kind: "walk",
          steps: number(steps, stepLimit, 1),
          loop: path === "loop",
          step: 0,
          ends: list(depth, 2, keptLimit),
        };
        walk.step = number(step, walkCount(walk) - 1);
        return walk;
      }
    }
  }

  const result = face(0);
  if (at !== text.length) throw new SyntaxError("more than an expression");
  return result;
}

/** Whether a text is a seed that torch.manual_seed takes. */
export function isTorchSeed(text) {
  if (!/^-?\d{1,20}$/.test(text)) return false;
  const seed = BigInt(text);
  return seed >= -(2n ** 63n) && seed < 2n ** 64n;
}

/** A torch seed as the command writes it: the upper half of 64 bits as negative numbers. */
export function signedSeed(seed) {
  return String(BigInt.asIntN(64, BigInt(seed)));
}

/** The title of a face, for people to read. */
export function titleOf(face) {
  switch (face.kind) {
    case "seed":
      return `Seed ${face.seed}`;
    case "torch":
      return `Seed ${face.seed}, face ${face.index}`;
    case "plane":
      return `Between seeds ${cornersInUse(face).join(", ").replace(/, (\d+)$/, " and $1")}`;
    case "mix":
      return "Mixed face";
    case "walk":
      return `Walk, step ${face.step} of ${walkCount(face) - 1}`;
  }
}

/** The lattice points that contribute to a point of the plane. */
function cornersInUse(face) {
  const { seeds, right, down } = corners(face);
  return seeds.filter((_, i) => (i % 2 ? right > 0 : true) && (i > 1 ? down > 0 : true));
}

/** How a face is made, in words. */
export function recipeOf(face) {
  switch (face.kind) {
    case "seed":
      return `x ${face.seed % rowLength}, y ${Math.floor(face.seed / rowLength)} on the plane`;
    case "torch":
      return "One of the seed’s 64 faces on the wall";
    case "plane":
      return `x ${face.x}, y ${face.y} on the plane`;
    case "mix":
      return mixText(face);
    case "walk":
      return `Through ${face.ends.length} kept faces`;
  }
}

/** The formula of a mix. */
export function mixText({ factor, of }) {
  const [a, b, c] = of.map(shortTitle);
  return `${a} ${factor < 0 ? "−" : "+"} ${Math.abs(factor)} (${b} − ${c})`;
}

function shortTitle(face) {
  switch (face.kind) {
    case "seed":
      return `seed ${face.seed}`;
    case "torch":
      return `seed ${face.seed}:${face.index}`;
    case "plane":
      return `plane ${face.x}, ${face.y}`;
    default:
      return `a ${face.kind === "mix" ? "mix" : "walk"}`;
  }
}

/** The name of a face's file, without an ending: the command's own where it has one. */
export function fileStem(face) {
  const four = (number) => String(number).padStart(4, "0");
  switch (face.kind) {
    case "seed":
      return `seed${four(face.seed)}`;
    case "torch":
      return `seed${signedSeed(face.seed)}-${four(face.index)}`;
    case "plane":
      return `plane${face.x},${face.y}`;
    case "mix":
      return "mix";
    case "walk":
      return `frame${four(face.step)}`;
  }
}

/** The command that draws a face again. */
export function commandFor(face, facts) {
  const model = facts.isShipped ? "" : ` --model ${facts.file}`;
  const stem = fileStem(face);
  switch (face.kind) {
    case "seed":
      return `bollygan-infer${model} --seeds ${face.seed} --out ${stem}.png`;
    case "torch":
      return `bollygan-infer${model} --seed ${face.seed} --count 64 --out faces/`;
    default:
      return `bollygan-infer${model} --latents ${stem}.npy --out ${stem}.png`;
  }
}

/** What else the reader of that command needs to know; usually empty. */
export function commandNote(face) {
  switch (face.kind) {
    case "seed":
      return "";
    case "torch":
      return `It draws all 64 faces of the seed; this one is faces/${fileStem(face)}.png.`;
    default:
      return "Download the latent (.npy) first.";
  }
}
