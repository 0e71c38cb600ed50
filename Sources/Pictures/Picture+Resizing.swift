// Resizes and crops images exactly as torchvision does with Pillow images: Pillow's ImagingResample
// (triangle filter, widened when reducing, 22-bit fixed point, 8 bits between the passes), and the
// sizes and offsets of torchvision.transforms.functional.
//
// This follows Pillow 13, which does the vertical pass first if the height shrinks much more than
// the width. Earlier versions always did the horizontal pass first. For tall images, such as
// 70 x 500, some samples then differ by 1.

extension Picture {
  /// The image scaled so that its shorter side is `shortSide`, like torchvision's `Resize`.
  ///
  /// The longer side becomes `shortSide·long/short`, rounded down.
  ///
  /// - Precondition: `shortSide` is at least 1.
  public func resized(shortSide: Int) -> Picture {
    let longSide = shortSide * max(width, height) / min(width, height)
    return width <= height
      ? resized(width: shortSide, height: longSide)
      : resized(width: longSide, height: shortSide)
  }

  /// The image scaled to the given size, like Pillow's `resize(size, BILINEAR)`.
  ///
  /// - Precondition: Both sides are at least 1.
  /// - Complexity: About 2·max(1, width/newWidth) multiplications per sample for the horizontal
  ///   pass, and likewise for the vertical pass.
  public func resized(width newWidth: Int, height newHeight: Int) -> Picture {
    precondition(newWidth > 0 && newHeight > 0, "cannot resize to \(newWidth) x \(newHeight)")
    let downFirst = height > newHeight && height - newHeight > 2 * (width - newWidth)
    var result = self
    if downFirst { result = result.resampledDown(to: newHeight) }
    if newWidth != width { result = result.resampledAcross(to: newWidth) }
    if !downFirst && newHeight != height { result = result.resampledDown(to: newHeight) }
    return result
  }

  /// The central square of the image, like torchvision's `CenterCrop`.
  ///
  /// An offset halfway between two pixels is rounded to the even one. If a side is too short, it is
  /// padded with black.
  ///
  /// - Precondition: `side` is at least 1.
  public func centerCropped(side: Int) -> Picture {
    precondition(side > 0, "cannot crop to a side of \(side)")
    var cropped = [UInt8](repeating: 0, count: side * side * channels)
    func offset(_ length: Int) -> Int {
      if length < side { return -((side - length) / 2) }
      return Int((Double(length - side) / 2).rounded(.toNearestOrEven))
    }
    let (left, top) = (offset(width), offset(height))
    let columns = max(0, left)..<min(width, left + side)
    for y in max(0, top)..<min(height, top + side) {
      let from = (y * width + columns.lowerBound) * channels
      let to = ((y - top) * side + columns.lowerBound - left) * channels
      let count = columns.count * channels
      cropped.replaceSubrange(to..<(to + count), with: pixels[from..<(from + count)])
    }
    return Picture(width: side, height: side, channels: channels, pixels: cropped)
  }

  private func resampledAcross(to newWidth: Int) -> Picture {
    let filter = ResamplingFilter(from: width, to: newWidth)
    let (width, height, channels) = (width, height, channels)
    let samples = unsafe [UInt8](
      unsafeUninitializedCapacity: newWidth * height * channels
    ) { result, filled in
      var to = 0
      for y in 0..<height {
        for taps in filter.taps {
          let first = (y * width + taps.first) * channels
          for c in 0..<channels {
            var sum: Int32 = 1 << 21
            var from = first + c
            for k in taps.weights {
              sum += Int32(pixels[from]) * filter.weights[k]
              from += channels
            }
            unsafe result[to] = UInt8(clamping: sum >> 22)
            to += 1
          }
        }
      }
      filled = to
    }
    return Picture(width: newWidth, height: height, channels: channels, pixels: samples)
  }

  private func resampledDown(to newHeight: Int) -> Picture {
    let filter = ResamplingFilter(from: height, to: newHeight)
    let row = width * channels
    let samples = unsafe [UInt8](
      unsafeUninitializedCapacity: newHeight * row
    ) { result, filled in
      var sums = [Int32](repeating: 0, count: row)
      var to = 0
      for taps in filter.taps {
        for i in 0..<row { sums[i] = 1 << 21 }
        for (y, k) in taps.weights.enumerated() {
          let from = (taps.first + y) * row
          let weight = filter.weights[k]
          for i in 0..<row { sums[i] += Int32(pixels[from + i]) * weight }
        }
        for i in 0..<row { unsafe result[to + i] = UInt8(clamping: sums[i] >> 22) }
        to += row
      }
      filled = to
    }
    return Picture(width: width, height: newHeight, channels: channels, pixels: samples)
  }
}

/// The weights of a one-dimensional triangle filter from one length to another.
struct ResamplingFilter {
  /// The source samples and weights of one output sample.
  struct Taps {
    /// The first source sample with a weight.
    var first: Int
    /// The range of its weights in ``ResamplingFilter/weights``.
    var weights: Range<Int>
  }
  /// The taps of each output sample.
  var taps: [Taps] = []
  /// All weights in fixed point, with 22 fraction bits.
  var weights: [Int32] = []

  /// A triangle whose radius is one sample of the coarser of the two lines.
  init(from old: Int, to new: Int) {
    let scale = Double(old) / Double(new)
    let radius = max(1, scale)
    for i in 0..<new {
      let centre = (Double(i) + 0.5) * scale
      let first = max(0, Int(centre - radius + 0.5))
      let end = min(old, Int(centre + radius + 0.5))
      // Multiply by the reciprocal like Pillow; a division would round differently.
      var line = (0..<(end - first)).map { k in
        max(0, 1 - abs((Double(k + first) - centre + 0.5) * (1 / radius)))
      }
      let sum = line.reduce(0, +)
      if sum != 0 { for k in line.indices { line[k] /= sum } }
      taps.append(Taps(first: first, weights: weights.count..<(weights.count + line.count)))
      weights += line.map { Int32(0.5 + $0 * Double(1 << 22)) }
    }
  }
}
