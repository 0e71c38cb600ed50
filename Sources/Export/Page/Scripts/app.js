// What the parts of the page share: the state, the pool of workers, and events.
//
// Events: "face" (another face is shown), "drawn" (its pixels are on the stage), "kept" (the kept
// faces changed), "names" (of kept faces), "wall" (its seed), "panel" (another tab), "state" (all
// of it, from a link), "workers" (all that will start have started).

import { formatFace, keptLimit, latentOf, titleOf } from "./faces.js";
import { announce } from "./notices.js";

export class App extends EventTarget {
  /** The face on the stage as last drawn: [side][side][4] bytes. */
  pixels = null;
  /** The face that each canvas shows or waits for. */
  #paintings = new WeakMap();

  constructor(facts, pool, random, state) {
    super();
    Object.assign(this, { facts, pool, random, state });
    this.side = facts.side;
    this.channels = facts.channels;
  }

  emit(name) {
    this.dispatchEvent(new Event(name));
  }

  on(names, action) {
    for (const name of names.split(" ")) this.addEventListener(name, action);
  }

  latent(face) {
    return latentOf(face, this.random);
  }

  /** The pixels of a face; null if it was no longer wanted. */
  draw(face, options) {
    return this.pool.draw(this.latent(face), options);
  }

  /** Draws a face into a canvas, unless the canvas was given another face in the meantime. */
  paint(canvas, face, options = {}) {
    const text = formatFace(face);
    const current = this.#paintings.get(canvas);
    if (current?.text === text) return current.promise;
    const painting = { text };
    this.#paintings.set(canvas, painting);
    const isCurrent = () => this.#paintings.get(canvas) === painting;
    painting.promise = this.draw(face, { ...options, wanted: isCurrent }).then((pixels) => {
      if (pixels && isCurrent()) paintPixels(canvas, pixels, this.side);
    }, () => {});
    return painting.promise;
  }

  /** Shows a face on the stage. */
  show(face) {
    this.state.face = face;
    this.emit("face");
  }

  /** The index of a face among the kept ones; −1 if it is not kept. */
  keptIndex(face) {
    const text = formatFace(face);
    return this.state.kept.findIndex((kept) => formatFace(kept.face) === text);
  }

  keep(face) {
    if (this.state.kept.length === keptLimit) {
      announce(`${keptLimit} faces are kept. Let one go first.`);
      return;
    }
    this.state.kept.push({ face, name: "" });
    this.emit("kept");
  }

  letGo(index) {
    this.state.kept.splice(index, 1);
    this.emit("kept");
  }

  /** Keeps a face, or lets it go. */
  toggleKept(face) {
    const index = this.keptIndex(face);
    if (index < 0) this.keep(face);
    else this.letGo(index);
  }

  /** The name of a kept face: the one it was given, or else its title. */
  keptName(index) {
    const { face, name } = this.state.kept[index];
    return name || titleOf(face);
  }
}

/** Puts a face's pixels into a canvas of its size. */
export function paintPixels(canvas, pixels, side) {
  if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(new ImageData(pixels, side, side), 0, 0);
}

/** The element with an id. */
export function $(id) {
  return document.getElementById(id);
}

/** Whether the reader asked for less motion. */
export function prefersLessMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
