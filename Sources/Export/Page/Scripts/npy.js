// Latents as .npy files, byte for byte what `bollygan-infer --save-latents` writes.

import { joined } from "./bytes.js";

/** A file of float32 latents, [count, size]. */
export function encodeNPY(latents) {
  const [count, size] = [latents.length, latents[0].length];
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${size}), }`;
  // NumPy leaves room for the first axis to grow to 21 digits, and aligns the numbers to 64 bytes.
  header += " ".repeat(21 - String(count).length);
  const used = 10 + header.length + 1;
  header += " ".repeat((64 - (used % 64)) % 64) + "\n";
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
  const length = [header.length & 255, header.length >> 8];
  const numbers = new DataView(new ArrayBuffer(4 * count * size));
  latents.forEach((latent, row) =>
    latent.forEach((value, i) => numbers.setFloat32(4 * (row * size + i), value, true)),
  );
  return joined([
    Uint8Array.from([...magic, ...length]),
    new TextEncoder().encode(header),
    new Uint8Array(numbers.buffer),
  ]);
}
