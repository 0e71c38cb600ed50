// A drawing worker: one instance of the engine, which packs the weights and then draws one face for
// each message. This file is the program of the workers, not part of the page's own script.
//
// First message: {engine, weights, layers, slope}, answered by {ready: true} or {failure}. Every
// other message: {id, latent}, answered by {id, pixels, milliseconds}.

let engine;
let latentAt;
let side;

async function start({ engine: code, weights, layers, slope }) {
  const { instance } = await WebAssembly.instantiate(code, {});
  engine = instance.exports;

  // A view of the engine's memory; memory that grows makes older views useless.
  const place = (Type, at, length) => new Type(engine.memory.buffer, at, length);
  const room = (bytes) => {
    const at = engine.room(bytes);
    if (!at) throw new RangeError("memory");
    return at;
  };

  const latent = layers[0].shape[0];
  const widths = layers.slice(0, -1).map((layer) => layer.shape[1]);
  const widthsAt = room(4 * widths.length);
  place(Uint32Array, widthsAt, widths.length).set(widths);
  const status = engine.open(latent, layers.at(-1).shape[1], slope, widthsAt, widths.length);
  if (status === 1) throw new TypeError("shape");
  if (status === 2) throw new RangeError("memory");
  side = 4 << widths.length;

  const widest = Math.max(...layers.map((layer) => layer.shape[1]));
  const kernelAt = room(Math.max(...layers.map((layer) => layer.end - layer.start)));
  const scaleAt = room(8 * widest);
  const shiftAt = room(4 * widest);
  layers.forEach((layer, index) => {
    const kernel = weights.subarray(layer.start, layer.end);
    place(Uint8Array, kernelAt, kernel.length).set(kernel);
    place(Float64Array, scaleAt, layer.scale.length).set(layer.scale);
    place(Float32Array, shiftAt, layer.shift.length).set(layer.shift);
    engine.layer(index, kernelAt, layer.half ? 1 : 0, scaleAt, shiftAt);
  });
  latentAt = room(4 * latent);
}

function draw({ id, latent }) {
  const start = performance.now();
  new Float32Array(engine.memory.buffer, latentAt, latent.length).set(latent);
  const at = engine.draw(latentAt);
  const pixels = new Uint8ClampedArray(engine.memory.buffer.slice(at, at + side * side * 4));
  const milliseconds = performance.now() - start;
  postMessage({ id, pixels, milliseconds }, [pixels.buffer]);
}

onmessage = async ({ data }) => {
  if (engine) {
    draw(data);
    return;
  }
  try {
    await start(data);
    postMessage({ ready: true });
  } catch (error) {
    // Chromium reports memory that cannot be reserved as a RangeError as well.
    postMessage({ failure: error instanceof RangeError ? "memory" : String(error) });
  }
};
