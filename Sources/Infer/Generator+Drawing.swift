internal import BollyGANCompute
import BollyGANModel

/// A pool of threads at work on the network: how it multiplies, its memory, and what times it.
struct Lane {
  let multiplier: Multiplier
  let scratch: Scratch
  let timer: LayerTimer?
}

/// The network's run, from latents to images.
///
/// Images go through the network in passes. The later a layer, the larger its maps, so a pass of
/// many images through an early layer is followed by several passes of fewer images through the
/// next one. Maps thus stay in the cache from one layer to the next.
extension Generator {
  /// Whether all threads share each layer of a batch, instead of each drawing images of its own.
  private func sharesLayers(_ count: Int) -> Bool { threads == 1 || count < 2 * threads }

  /// Images in one pass through each layer but the last, after a batch of this size has been drawn.
  func imagesPerPass(batch: Int) -> [Int] {
    scratch.withLock { $0[sharesLayers(batch) ? 0 : 1].imagesPerPass }
  }

  /// Draws the images of all latents.
  ///
  /// With fewer than two images a thread, all threads share each layer. With more, each thread
  /// takes its own images through all layers (see ``Workers/singleThreaded()``): every `threads`-th
  /// one, so that results arrive almost in order.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - target: Where the images from a given index on are written.
  ///   - finished: Is told which images are finished, on the thread that drew them.
  func draw(
    _ latents: [Float], timer: LayerTimer? = nil, to target: (_ first: Int) -> PictureTarget,
    finished: (_ images: Range<Int>) -> Void = { _ in }
  ) {
    let count = latents.count / shape.latent
    guard count > 0 else { return }
    scratch.withLock { scratch in
      guard !sharesLayers(count) else {
        scratch[0].reserve(count, for: self, threads: threads)
        drawImages(
          Array(0..<count), of: latents,
          in: Lane(multiplier: multiplier, scratch: scratch[0], timer: timer), to: target,
          finished: finished)
        return
      }
      // In rounds, so that a thread's part of a round is at most one pass through the first layer.
      let most = UpConvolution.mostImagesPerPass * threads
      let rounds = (count + most - 1) / most
      let share = (count + rounds * threads - 1) / (rounds * threads)
      for thread in 1...threads { scratch[thread].reserve(share, for: self, threads: 1) }
      let (own, timers) = (scratch, timer?.copies(threads))
      multiplier.workers.run(rounds * threads) { part, thread in
        let (round, place) = part.quotientAndRemainder(dividingBy: threads)
        let images = stride(
          from: count * round / rounds + place, to: count * (round + 1) / rounds, by: threads)
        drawImages(
          Array(images), of: latents,
          in: Lane(
            multiplier: singleThreaded[thread], scratch: own[1 + thread], timer: timers?[thread]),
          to: target, finished: finished)
      }
      if let timers { timer?.add(timers) }
    }
  }

  /// Draws images with one pool of threads, pass by pass through the first layer.
  private func drawImages(
    _ images: [Int], of latents: [Float], in lane: Lane, to target: (Int) -> PictureTarget,
    finished: (Range<Int>) -> Void
  ) {
    let scratch = lane.scratch
    let stride = first.link.coarseStride
    let most = scratch.imagesPerPass[0]
    for start in Swift.stride(from: 0, to: images.count, by: most) {
      let pass = images[start..<min(start + most, images.count)]
      for (place, image) in pass.enumerated() {
        for index in 0..<shape.latent {
          scratch.maps[0][place * stride + index] = latents[image * shape.latent + index]
        }
      }
      lane.timer?.begin(0)
      first.run(
        from: scratch.maps[0], to: scratch.maps[1], images: pass.count, multiplier: lane.multiplier)
      lane.timer?.end()
      drawLayers(
        hidden[...], 0..<pass.count, of: pass, in: lane, to: target, finished: finished)
    }
  }

  /// Takes images through the remaining hidden layers and the last one.
  ///
  /// The recursion goes through the layers. At each level, the images of the map before `layers`
  /// are divided into passes of the size that suits the first of `layers`, and each pass is taken
  /// to the end before the next one begins, so that the maps between layers are small and are
  /// reused.
  ///
  /// - Parameters:
  ///   - layers: The remaining hidden layers.
  ///   - places: The images to take, by their place in the map before `layers`.
  ///   - images: The images in that map.
  private func drawLayers(
    _ layers: ArraySlice<UpLayer>, _ places: Range<Int>, of images: ArraySlice<Int>, in lane: Lane,
    to target: (Int) -> PictureTarget, finished: (Range<Int>) -> Void
  ) {
    guard let layer = layers.first else {
      drawLast(places, of: images, in: lane, to: target, finished: finished)
      return
    }
    let (scratch, index) = (lane.scratch, layers.startIndex + 1)
    let most = scratch.imagesPerPass[index]
    for start in stride(from: places.lowerBound, to: places.upperBound, by: most) {
      let pass = start..<min(start + most, places.upperBound)
      lane.timer?.begin(index)
      layer.run(from: scratch.maps[index], images: pass, to: scratch.maps[index + 1], in: lane)
      lane.timer?.end()
      drawLayers(
        layers.dropFirst(), 0..<pass.count, of: images.dropFirst(start).prefix(pass.count),
        in: lane, to: target, finished: finished)
    }
  }

  /// Takes images through the last layer. Images with consecutive indices are drawn in one call.
  private func drawLast(
    _ places: Range<Int>, of images: ArraySlice<Int>, in lane: Lane,
    to target: (Int) -> PictureTarget, finished: (Range<Int>) -> Void
  ) {
    let index = hidden.count + 1
    var start = places.lowerBound
    while start < places.upperBound {
      let first = images[images.startIndex + start]
      let run = images[(images.startIndex + start)...].enumerated()
        .prefix { $0.element == first + $0.offset }.count
      lane.timer?.begin(index)
      last.run(
        from: lane.scratch.maps[index], at: start, source: last.link.coarseChunkedLayout,
        to: target(first), images: run, scratch: lane.scratch.threads,
        kernels: lane.multiplier.kernels, workers: lane.multiplier.workers)
      lane.timer?.end()
      finished(first..<first + run)
      start += run
    }
  }
}
