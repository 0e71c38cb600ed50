// Resize and crop as torchvision does them on Pillow's images, sample for sample: Pillow's
// ImagingResample (triangle filter, widened when reducing, 22-bit fixed point, 8 bits between the
// passes) and torchvision.transforms.functional's arithmetic for sizes and offsets.
//
// Pillow 13 is followed. It makes the vertical pass first where the height shrinks much more than
// the width; earlier versions always began across, which for such tall pictures (70 x 500, say)
// gives samples that differ by 1 here and there.

extension Picture {
  /// The picture scaled so that its shorter side is `shortSide`, like torchvision's `Resize`.
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

  /// The picture scaled to the given size, like Pillow's `resize(size, BILINEAR)`.
  ///
  /// - Precondition: both sides are at least 1.
  /// - Complexity: about 2·max(1, width/new width) multiplications for each sample of the
  ///   narrowed picture, and likewise down.
  public func resized(width newWidth: Int, height newHeight: Int) -> Picture {
    precondition(newWidth > 0 && newHeight > 0, "no picture is \(newWidth) x \(newHeight)")
    let downFirst = height > newHeight && height - newHeight > 2 * (width - newWidth)
    var result = self
    if downFirst { result = result.resampledDown(to: newHeight) }
    if newWidth != width { result = result.resampledAcross(to: newWidth) }
    if !downFirst && newHeight != height { result = result.resampledDown(to: newHeight) }
    return result
  }

  /// The middle square of the picture, like torchvision's `CenterCrop`.
  ///
  /// Offsets that fall between two pixels go to the even one. Where a side is too short, black is
  /// added around it first.
  ///
  /// - Precondition: `side` is at least 1.
  public func centerCropped(side: Int) -> Picture {
    precondition(side > 0, "no picture has \(side) pixels a side")
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

/// The weights that make each sample of a resampled line.
struct ResamplingFilter {
  struct Taps {
    /// The first sample of the old line that counts.
    var first: Int
    /// Where the weights lie.
    var weights: Range<Int>
  }
  /// One for each sample of the new line.
  var taps: [Taps] = []
  /// Fixed point, 22 bits after the point.
  var weights: [Int32] = []

  /// A triangle of radius 1 in the coarser of the two lines.
  init(from old: Int, to new: Int) {
    let scale = Double(old) / Double(new)
    let radius = max(1, scale)
    for i in 0..<new {
      let centre = (Double(i) + 0.5) * scale
      let first = max(0, Int(centre - radius + 0.5))
      let end = min(old, Int(centre + radius + 0.5))
      // Pillow multiplies by the reciprocal; a division would round differently.
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
