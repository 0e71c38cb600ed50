// The pool of drawing workers: a queue of latents, each drawn by the next worker that is free.

import { PageError, fail, notice } from "./notices.js";

/** At most this many workers; each holds its own copy of the packed weights. */
const workerLimit = 4;

export class Pool {
  #setup;
  #workers = [];
  #queue = [];
  #running = new Map();
  #nextID = 0;
  #times = [];
  #isGrowing = false;

  /**
   * @param setup first message for every worker (see worker.js).
   * @param {string} program source of the workers.
   */
  constructor(setup, program) {
    this.#setup = setup;
    this.url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  }

  /** Starts the first worker. Others follow once it draws, so that it has the processor first. */
  async start() {
    const failure = await this.#startWorker();
    if (failure === "memory") {
      throw new PageError("The browser has too little memory for this generator.");
    }
    if (failure) throw new PageError(`The drawing engine does not start: ${failure}.`);
  }

  /** Starts the other workers: one for each core of the processor, up to the limit. */
  async grow() {
    const count = Math.min(workerLimit, navigator.hardwareConcurrency || 2);
    for (let started = 1; started < count; started++) {
      this.#isGrowing = true;
      // If one does not start, the others still draw.
      if (await this.#startWorker()) break;
    }
    this.#isGrowing = false;
    this.#setup = null;
    this.#checkWorkers();
  }

  /** Workers that draw. */
  get size() {
    return this.#workers.length;
  }

  /** The median of the last 64 drawing times, in milliseconds; undefined before the first. */
  get median() {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  /**
   * Draws a face.
   *
   * @param {Float32Array} latent
   * @param {{urgent?: boolean, wanted?: () => boolean}} options `urgent` goes before everything
   *   else; a face that is no longer wanted when its turn comes is not drawn.
   * @returns {Promise<Uint8ClampedArray?>} [side][side][4] bytes; null if it was not wanted. It is
   *   rejected if no worker is left, and the page then says so.
   */
  draw(latent, { urgent = false, wanted = () => true } = {}) {
    return new Promise((resolve, reject) => {
      const job = { latent, wanted, resolve, reject };
      if (urgent) this.#queue.unshift(job);
      else this.#queue.push(job);
      this.#deal();
      if (!this.#isGrowing) this.#checkWorkers();
    });
  }

  #deal() {
    for (const worker of this.#workers) {
      while (this.#queue.length && !this.#running.has(worker)) {
        const job = this.#queue.shift();
        if (!job.wanted()) {
          job.resolve(null);
          continue;
        }
        const id = this.#nextID++;
        this.#running.set(worker, { ...job, id });
        worker.postMessage({ id, latent: job.latent });
      }
    }
  }

  /** @returns {Promise<string?>} why the worker does not start; null if it did. */
  #startWorker() {
    return new Promise((resolve) => {
      let worker;
      try {
        worker = new Worker(this.url);
      } catch (error) {
        resolve(String(error));
        return;
      }
      worker.onerror = (event) => {
        event.preventDefault();
        worker.terminate();
        resolve(event.message || "the browser refuses to run workers");
      };
      worker.onmessage = ({ data }) => {
        if (data.failure) {
          worker.terminate();
          resolve(data.failure);
          return;
        }
        worker.onmessage = ({ data }) => this.#finish(worker, data);
        worker.onerror = (event) => this.#lose(worker, event);
        this.#workers.push(worker);
        resolve(null);
        this.#deal();
      };
      worker.postMessage(this.#setup);
    });
  }

  #finish(worker, { pixels, milliseconds }) {
    const job = this.#running.get(worker);
    this.#running.delete(worker);
    this.#times.push(milliseconds);
    if (this.#times.length > 64) this.#times.shift();
    this.#deal();
    job.resolve(pixels);
  }

  /** Handles a worker that stopped: another one draws its face. */
  #lose(worker, event) {
    event.preventDefault();
    worker.terminate();
    this.#workers = this.#workers.filter((other) => other !== worker);
    const job = this.#running.get(worker);
    this.#running.delete(worker);
    if (job) this.#queue.unshift(job);
    if (this.#workers.length || this.#isGrowing) {
      notice("A drawing worker stopped. The others continue.");
      this.#deal();
    } else this.#checkWorkers();
  }

  /** Gives up if no workers are left, since nothing that waits will be drawn. */
  #checkWorkers() {
    if (this.#workers.length) return;
    const error = new PageError("The drawing engine stopped. Reload the page to continue.");
    fail(error);
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
  }
}
