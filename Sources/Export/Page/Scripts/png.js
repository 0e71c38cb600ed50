// PNG files with the same text as those of the command, and animated PNG files (PNG, third edition,
// chunks acTL, fcTL and fdAT).

import { crc32, joined, sha256 } from "./bytes.js";
import { formatFace, signedSeed, walkCount } from "./faces.js";
import { encodeNPY } from "./npy.js";

const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type, content) {
  const body = joined([new TextEncoder().encode(type), content]);
  return joined([word(content.length), body, word(crc32(body))]);
}

/** Big-endian numbers of 32 bits. */
function word(...numbers) {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, i) => view.setUint32(4 * i, number));
  return new Uint8Array(view.buffer);
}

function header(width, height, channels) {
  return chunk("IHDR", joined([word(width, height), [8, channels === 1 ? 0 : 2, 0, 0, 0]]));
}

/** An iTXt chunk, uncompressed, without a language. */
function textChunk([keyword, text]) {
  const encoder = new TextEncoder();
  return chunk("iTXt", joined([encoder.encode(keyword), [0, 0, 0, 0, 0], encoder.encode(text)]));
}

/** Compressed rows of an image, without its alpha channel; every row has filter 0. */
async function compress(pixels, width, height, channels) {
  const rows = new Uint8Array(height * (1 + width * channels));
  for (let y = 0, at = 0; y < height; y++) {
    rows[at++] = 0;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) rows[at++] = pixels[(y * width + x) * 4 + c];
    }
  }
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * A PNG file.
 *
 * @param {{data: Uint8ClampedArray, width: number, height: number}} image
 * @param {number} channels 3, or 1 for gray.
 * @param {[string, string][]} texts keywords and texts.
 */
export async function encodePNG({ data, width, height }, channels, texts) {
  return joined([
    signature,
    header(width, height, channels),
    ...texts.map(textChunk),
    chunk("IDAT", await compress(data, width, height, channels)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** An animated PNG file of frames of one size, which starts again after the last. */
export async function encodeAnimation(frames, width, height, channels, texts, milliseconds) {
  const parts = [signature, header(width, height, channels)];
  parts.push(chunk("acTL", word(frames.length, 0)), ...texts.map(textChunk));
  let sequence = 0;
  for (const [index, frame] of frames.entries()) {
    const delay = [milliseconds >> 8, milliseconds & 255, 1000 >> 8, 1000 & 255];
    // At position 0, 0; the frame replaces the previous one.
    parts.push(
      chunk("fcTL", joined([word(sequence++, width, height, 0, 0), delay, [0, 0]])),
    );
    const data = await compress(frame, width, height, channels);
    parts.push(index ? chunk("fdAT", joined([word(sequence++), data])) : chunk("IDAT", data));
  }
  parts.push(chunk("IEND", new Uint8Array()));
  return joined(parts);
}

/**
 * The texts that a face's file carries: the command's own, so the face can be drawn again, and its
 * expression, which this page reads. A torch latent that does not fill blocks of 16 numbers depends
 * on the count.
 */
export function faceTexts(face, latent, facts) {
  const texts = [["model", facts.model]];
  const total = face.kind === "torch" && latent.length % 16 ? [["count", "64"]] : [];
  switch (face.kind) {
    case "seed":
      texts.push(["random", "numpy"], ["seed", String(face.seed)]);
      break;
    case "torch":
      texts.push(["random", "torch"], ["seed", signedSeed(face.seed)]);
      texts.push(["index", String(face.index)], ...total);
      break;
    default:
      // The command writes the same for a face from the latents that this page saves.
      texts.push(["latents", `sha256:${sha256(encodeNPY([latent]))}`], ["index", "0"]);
  }
  texts.push(["truncation", "1.0"]);
  if (face.kind !== "seed" && face.kind !== "torch") texts.push(["expression", formatFace(face)]);
  return texts.map(([keyword, text]) => [`bollygan:${keyword}`, text]);
}

/** The texts of a file with the faces of a walk. */
export function walkTexts(walk, latents, facts) {
  const seeds = walk.ends.every((end) => end.kind === "seed");
  const texts = [["model", facts.model]];
  if (seeds) {
    texts.push(["random", "numpy"], ["seed", seedList(walk.ends.map((end) => end.seed))]);
  } else {
    texts.push(["latents", `sha256:${sha256(encodeNPY(latents))}`]);
    texts.push(["index", `0-${walk.ends.length - 1}`]);
  }
  texts.push(
    ["path", "slerp"], ["steps", String(walk.steps)], ["loop", String(walk.loop)],
    ["frame", `0-${walkCount(walk) - 1}`], ["truncation", "1.0"],
  );
  if (!seeds) texts.push(["expression", formatFace({ ...walk, step: 0 })]);
  return texts.map(([keyword, text]) => [`bollygan:${keyword}`, text]);
}

/** 0-3,7: what `--seeds` takes. */
export function seedList(seeds) {
  const ranges = [];
  for (const seed of seeds) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === seed) last[1] = seed;
    else ranges.push([seed, seed]);
  }
  return ranges.map(([a, b]) => (a === b ? String(a) : `${a}-${b}`)).join(",");
}
