// The generator in this page: a safetensors file in base64, and facts about it.

import { fromBase64, sha256 } from "./bytes.js";
import { PageError } from "./notices.js";

/** Added to a variance before its root is taken, as in PyTorch. */
const epsilon = 1e-5;

/** The facts that the exporter wrote into the page, as JSON. */
export function readFacts() {
  return JSON.parse(document.getElementById("facts").textContent);
}

/** The bytes of an embedded file, if they have the hash that the exporter noted. */
export function readFile(id, hash, what) {
  const element = document.getElementById(id);
  let bytes;
  try {
    bytes = fromBase64(element.textContent.trim());
  } catch {
    bytes = new Uint8Array();
  }
  // The text is large and no longer needed.
  element.remove();
  if (sha256(bytes) !== hash) {
    throw new PageError(
      `This page is damaged: its ${what} does not have the checksum that it was written with. ` +
        "Download the page again.",
    );
  }
  return bytes;
}

/**
 * The layers of a generator: where each kernel is stored in the file, and its folded normalisation.
 *
 * @param {Uint8Array} file a safetensors file with the names of PyTorch's state_dict.
 * @returns {{start: number, end: number, half: boolean, shape: number[], scale: Float64Array,
 *   shift: Float32Array}[]}
 */
export function readLayers(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, data)));

  function floats(name) {
    const { data_offsets: [start, end] } = header[name];
    return new Float32Array(file.slice(data + start, data + end).buffer);
  }

  const kernels = Object.keys(header)
    .filter((name) => header[name].shape?.length === 4)
    .map((name) => ({ name, index: Number(name.split(".")[1]) }))
    .sort((a, b) => a.index - b.index);
  return kernels.map(({ name, index }) => {
    const { dtype, shape, data_offsets: [start, end] } = header[name];
    const count = shape[1];
    const norm = `main.${index + 1}`;
    let scale = new Float64Array(count).fill(1);
    let shift = new Float32Array(count);
    if (header[`${norm}.running_var`]) {
      const [gamma, beta] = [floats(`${norm}.weight`), floats(`${norm}.bias`)];
      const [mean, variance] = [floats(`${norm}.running_mean`), floats(`${norm}.running_var`)];
      // Folded in float64 and rounded once, as in the commands.
      scale = Float64Array.from(gamma, (g, d) => g / Math.sqrt(variance[d] + epsilon));
      shift = Float32Array.from(beta, (b, d) => b - mean[d] * scale[d]);
    } else if (header[`main.${index}.bias`]) {
      shift = floats(`main.${index}.bias`);
    }
    return { start: data + start, end: data + end, half: dtype === "F16", shape, scale, shift };
  });
}
