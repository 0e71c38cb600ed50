// Arithmetic on latents, in the same order as in Sources/Model/Latents+Interpolation.swift.

/** weightA · a + weightB · b, in float64 and rounded once. */
function weighted(a, b, weightA, weightB) {
  return Float32Array.from(a, (value, i) => weightA * value + weightB * b[i]);
}

function product(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * The point at `t` on the arc from `a` (t = 0) to `b` (t = 1); on the straight line if the vectors
 * are parallel or one is zero (Shoemake 1985, doi:10.1145/325334.325242).
 */
export function slerp(a, b, t) {
  // The ends are exact, so lattice points of the plane equal their seeds.
  if (t === 0) return a;
  if (t === 1) return b;
  const cosine = product(a, b) / Math.sqrt(product(a, a) * product(b, b));
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
  const sine = Math.sin(angle);
  if (!(sine > 1e-6)) return weighted(a, b, 1 - t, t);
  return weighted(a, b, Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine);
}

/** a + factor · (b − c). */
export function mix(a, b, c, factor) {
  return Float32Array.from(a, (value, i) => value + factor * (b[i] - c[i]));
}

/** The random numbers of the commands, drawn by an instance of the engine that has no weights. */
export class RandomLatents {
  #engine;
  #at;
  #size;
  #numpy = new Map();
  #torch = new Map();

  /** Faces of a torch seed: the wall's, and what `--count 64` draws. */
  static count = 64;

  /**
   * @param {WebAssembly.Instance} instance
   * @param {number} size numbers in a latent.
   */
  constructor(instance, size) {
    this.#engine = instance.exports;
    this.#size = size;
    this.#at = this.#engine.room(4 * RandomLatents.count * size);
  }

  #read(numbers) {
    return new Float32Array(this.#engine.memory.buffer, this.#at, numbers).slice();
  }

  /** numpy.random.RandomState(seed).randn(1, size), as `--seeds` draws it. */
  numpy(seed) {
    return cached(this.#numpy, seed, 4096, () => {
      this.#engine.numpy_latent(seed, this.#size, this.#at);
      return this.#read(this.#size);
    });
  }

  /** Row `index` of torch.manual_seed(seed); torch.randn(64, size), as `--seed` draws it. */
  torch(seed, index) {
    const rows = cached(this.#torch, seed, 16, () => {
      this.#engine.torch_latents(BigInt(seed), RandomLatents.count * this.#size, this.#at);
      return this.#read(RandomLatents.count * this.#size);
    });
    return rows.slice(index * this.#size, (index + 1) * this.#size);
  }
}

/** The value of a key, made if it is missing; drops the oldest values beyond `limit`. */
export function cached(map, key, limit, make) {
  if (!map.has(key)) {
    map.set(key, make());
    if (map.size > limit) map.delete(map.keys().next().value);
  }
  return map.get(key);
}
