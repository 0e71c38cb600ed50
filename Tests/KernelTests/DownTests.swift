import BollyGANKernels
import Testing

/// A convolution with stride 2, from fine maps with margin 1 to coarse ones, and the gradient of
/// its weights, on random numbers.
struct DownCase: CustomTestStringConvertible, Sendable {
  let images: Int
  /// The side of the coarse map.
  let side: Int
  let fineChannels: Int
  let coarseChannels: Int
  var parts = 1

  var testDescription: String {
    "\(images) x \(2 * side)x\(2 * side)x\(fineChannels) to \(coarseChannels), \(parts) parts"
  }

  /// The cases cover depths below, equal to and above the length of one sum; coarse channels that
  /// do and do not fill panels; fewer and more tiles than one sum of the gradient takes, and than a
  /// small job has; and a last group that is divided in two.
  static let all = [
    DownCase(images: 1, side: 4, fineChannels: 16, coarseChannels: 16),
    DownCase(images: 2, side: 4, fineChannels: 48, coarseChannels: 48),
    DownCase(images: 5, side: 8, fineChannels: 32, coarseChannels: 80, parts: 3),
    DownCase(images: 3, side: 12, fineChannels: 64, coarseChannels: 32),
    DownCase(images: 9, side: 16, fineChannels: 16, coarseChannels: 16, parts: 2),
    DownCase(images: 33, side: 4, fineChannels: 16, coarseChannels: 112, parts: 2),
    DownCase(images: 98, side: 4, fineChannels: 16, coarseChannels: 16),
    DownCase(images: 38, side: 4, fineChannels: 48, coarseChannels: 16, parts: 7),
  ]

  /// Floats from one row to the next, in a map with margin 1.
  private func row(_ side: Int, _ channels: Int) -> Int { (side + 2) * channels }

  private func map(_ side: Int, _ channels: Int, seed: UInt64) -> [Float] {
    var numbers = Numbers(state: seed)
    var map = [Float](repeating: 0, count: images * (side + 2) * row(side, channels))
    for image in 0..<images {
      for i in 1...side {
        let start = (image * (side + 2) + i) * row(side, channels) + channels
        map.replaceSubrange(start..<start + side * channels, with: numbers.floats(side * channels))
      }
    }
    return map
  }

  var fine: [Float] { map(2 * side, fineChannels, seed: UInt64(side + fineChannels)) }
  var coarse: [Float] { map(side, coarseChannels, seed: 5) }

  /// `[coarseChannels, 4, 4, fineChannels]`.
  var weights: [Float] {
    var numbers = Numbers(state: 3)
    return numbers.floats(coarseChannels * 16 * fineChannels)
  }

  /// Calls the body for every coarse pixel and tap.
  ///
  /// - Parameter body: Receives the offset of the coarse pixel in maps with margin 1, the pixel's
  ///   number, the offset of the fine pixel, and the tap.
  private func eachProduct(_ body: (_ at: Int, _ pixel: Int, _ fine: Int, _ tap: Int) -> Void) {
    for image in 0..<images {
      for i in 0..<side {
        for j in 0..<side {
          let at =
            (image * (side + 2) + i + 1) * row(side, coarseChannels) + (j + 1) * coarseChannels
          for tap in 0..<16 {
            let (u, v) = (tap / 4, tap % 4)
            let fine =
              (image * (2 * side + 2) + 2 * i + u) * row(2 * side, fineChannels)
              + (2 * j + v) * fineChannels
            body(at, (image * side + i) * side + j, fine, tap)
          }
        }
      }
    }
  }

  /// The convolution by definition, in float64: `[images, side, side, coarseChannels]`.
  func reference(_ fine: [Float]) -> [Double] {
    let (fine, weights) = (fine.map(Double.init), self.weights.map(Double.init))
    var out = [Double](repeating: 0, count: images * side * side * coarseChannels)
    eachProduct { _, pixel, from, tap in
      for c in 0..<coarseChannels {
        for d in 0..<fineChannels {
          out[pixel * coarseChannels + c] +=
            fine[from + d] * weights[(c * 16 + tap) * fineChannels + d]
        }
      }
    }
    return out
  }

  /// The gradient by definition, in float64: `[coarseChannels, 4, 4, fineChannels]`.
  func gradientReference(_ fine: [Float], _ coarse: [Float]) -> [Double] {
    let (fine, coarse) = (fine.map(Double.init), coarse.map(Double.init))
    var out = [Double](repeating: 0, count: coarseChannels * 16 * fineChannels)
    eachProduct { at, _, from, tap in
      for c in 0..<coarseChannels {
        for d in 0..<fineChannels {
          out[(c * 16 + tap) * fineChannels + d] += coarse[at + c] * fine[from + d]
        }
      }
    }
    return out
  }

  var tiles: Int { images * side * side / 16 }

  /// The convolution as the kernels compute it. Checks that gaps between coarse maps are not
  /// written.
  func run(_ level: Level, _ fine: [Float]) -> [Float] {
    let kernels = level.kernels
    let width = Int(kernels.columns)
    let panels = (coarseChannels + width - 1) / width
    var taps = [Float](repeating: 0, count: 16 * panels * fineChannels * width)
    unsafe bg_pack_down(
      weights, 0, fineChannels, coarseChannels, 1.0 / 81, fineChannels, panels, width, &taps)
    let height = Int(
      tiles <= Int(kernels.small_job_tiles) ? kernels.row_step : kernels.rows)
    let size = side * side * coarseChannels
    let gap = 5
    var out = [Float](repeating: canary, count: images * (size + gap))
    // The initial content of scratch memory must not matter.
    var planes = [Float](
      repeating: 1e30,
      count: Int(BG_WIN_PLANES)
        * ((tiles + Int(kernels.rows)) * 4 * fineChannels + Int(BG_WIN_PAD)))
    var scratch = [Float](repeating: 1e30, count: bg_scratch_floats(width))
    let fineRow = row(2 * side, fineChannels)
    unsafe fine.withUnsafeBufferPointer { fine in
      unsafe taps.withUnsafeBufferPointer { taps in
        unsafe planes.withUnsafeMutableBufferPointer { planes in
          unsafe out.withUnsafeMutableBufferPointer { out in
            var job = unsafe bg_down(
              images: images, side: side, depth: fineChannels, columns: coarseChannels,
              from: fine.baseAddress!, from_image: (2 * side + 2) * fineRow, from_row: fineRow,
              to: out.baseAddress!, to_image: size + gap, to_row: side * coarseChannels,
              taps: taps.baseAddress!, planes: planes.baseAddress!, parts: parts)
            for task in 0..<4 * ((tiles + height - 1) / height) {
              unsafe kernels.down_input(&job, task)
            }
            for task in (0..<panels * parts).reversed() {
              unsafe kernels.down_output(&job, task, &scratch)
            }
          }
        }
      }
    }
    var values: [Float] = []
    for image in 0..<images {
      let end = (image + 1) * (size + gap)
      values += out[end - size - gap..<end - gap]
      #expect(out[end - gap..<end].allSatisfy { $0 == canary })
    }
    return values
  }

  /// The gradient as the kernels compute it, without the last coarse channel.
  ///
  /// - Parameters:
  ///   - slice: The most tiles in a sum.
  ///   - start: A value that the gradient is added to; nil: none.
  func gradient(
    _ level: Level, _ fine: [Float], _ coarse: [Float], slice: Int = Int(BG_WIN_SUM),
    from start: Float? = nil
  ) -> [Float] {
    let kernels = level.kernels
    let width = Int(kernels.columns)
    let unit = Int(BG_CHANNEL_UNIT)
    let wanted = (coarseChannels - 1) * 16 * fineChannels
    var out = [Float](repeating: start ?? 1e30, count: wanted)
    out += [canary]
    func planes(_ columns: Int) -> [Float] {
      [Float](repeating: 1e30, count: Int(BG_WIN_PLANES) * (slice * columns + Int(BG_WIN_PAD)))
    }
    var (left, right) = (planes(unit), planes(width))
    var scratch = [Float](
      repeating: 1e30, count: Int(BG_WIN_PLANES) * (unit * width + Int(BG_WIN_PAD)))
    let (fineRow, coarseRow) = (row(2 * side, fineChannels), row(side, coarseChannels))
    unsafe fine.withUnsafeBufferPointer { fine in
      unsafe coarse.withUnsafeBufferPointer { coarse in
        unsafe out.withUnsafeMutableBufferPointer { out in
          for first in stride(from: 0, to: tiles, by: slice) {
            var job = unsafe bg_gradient(
              side: side, rows: coarseChannels, wanted_rows: coarseChannels - 1,
              columns: fineChannels, coarse: coarse.baseAddress! + coarseRow + coarseChannels,
              coarse_image: (side + 2) * coarseRow, coarse_row: coarseRow,
              fine: fine.baseAddress!, fine_image: (2 * side + 2) * fineRow, fine_row: fineRow,
              first: first, tiles: min(slice, tiles - first), gradient: out.baseAddress!,
              accumulates: first > 0 || start != nil ? 1 : 0)
            for chunk in 0..<coarseChannels / unit {
              unsafe kernels.gradient_coarse(&job, chunk, &left)
              for panel in 0..<4 * fineChannels / width {
                unsafe kernels.gradient_fine(&job, panel, &right)
                unsafe kernels.gradient_output(&job, chunk, left, panel, right, &scratch)
              }
            }
          }
        }
      }
    }
    #expect(out[wanted] == canary)
    return Array(out[..<wanted])
  }
}

@Suite("Fast convolution")
struct DownTests {
  @Test("weights are packed as defined, in ranges of channels, even if they do not fill a block")
  func packing() {
    let (depth, scale) = (32, 1.0 / 81)
    for (channels, columns) in [(3, 8), (21, 8), (18, 32)] {
      var numbers = Numbers(state: UInt64(channels))
      let weights = numbers.floats(channels * 16 * depth)
      let panels = (channels + columns - 1) / columns
      var taps = [Float](repeating: canary, count: panels * 16 * depth * columns)
      for range in [0..<4, 4..<32] {
        unsafe bg_pack_down(
          weights, range.lowerBound, range.upperBound, channels, scale, depth, panels, columns,
          &taps)
      }
      for index in taps.indices {
        let (place, column) = index.quotientAndRemainder(dividingBy: columns)
        let (tap, parity) = (place % 4, place / 4 / depth % 4)
        let (d, channel) = (place / 4 % depth, place / 16 / depth * columns + column)
        guard channel < channels else {
          #expect(taps[index] == canary)
          continue
        }
        // Tap (a, b) of parity (r, s) is row 2a + r and column 2b + s of the kernel.
        let (u, v) = (tap / 2 * 2 + parity / 2, tap % 2 * 2 + parity % 2)
        let weight = weights[((channel * 4 + u) * 4 + v) * depth + d]
        #expect(taps[index] == Float(Double(weight) * scale))
      }
    }
  }

  private static func worst(_ out: [Float], _ expected: [Double]) -> Double {
    zip(out, expected).map { abs(Double($0) - $1) }.max()!
  }

  // As for the transposed convolution: a sum of n products below 1 has the size √n/3, and r
  // roundings are off by √r/2 half-ulps of that. The corners of a tile enlarge the error by up to
  // 4. Six standard deviations are never exceeded. A product of transformed numbers represents four
  // taps, so a sum of s of them rounds like 4 s products, and the transforms round like three more.
  static func bound(_ terms: Int, summed: Int) -> Double {
    let roundings = Double(4 * (min(summed, Int(BG_WIN_SUM)) + 3))
    return 6 * 4 * (roundings.squareRoot() / 2) * (Double(terms).squareRoot() / 3) * 0x1p-24
  }

  @Test("down agrees with the definition", arguments: Level.available, DownCase.all)
  func agrees(level: Level, shape: DownCase) {
    let fine = shape.fine
    let worst = Self.worst(shape.run(level, fine), shape.reference(fine))
    #expect(worst <= Self.bound(16 * shape.fineChannels, summed: 4 * shape.fineChannels))
  }

  @Test("levels with fused multiply-add produce equal bits", arguments: DownCase.all)
  func levels(shape: DownCase) {
    let fused = Level.fused
    let (fine, coarse) = (shape.fine, shape.coarse)
    let results = fused.map { (shape.run($0, fine), shape.gradient($0, fine, coarse)) }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }

  @Test(
    "an image has the same bits alone and in a batch", arguments: Level.available,
    [(4, 48), (8, 16)])
  func neighbours(level: Level, shape: (side: Int, channels: Int)) {
    func some(_ images: Int, _ parts: Int) -> DownCase {
      DownCase(
        images: images, side: shape.side, fineChannels: shape.channels, coarseChannels: 48,
        parts: parts)
    }
    let fine = some(41, 1).fine
    let all = some(41, 1).run(level, fine)
    let (input, output) = (fine.count / 41, all.count / 41)
    for (images, parts) in [(1, 1), (9, 2), (17, 3)] {
      let first = 41 - images
      let part = some(images, parts).run(level, Array(fine[first * input..<41 * input]))
      #expect(part == Array(all[first * output..<41 * output]))
    }
  }

  @Test(
    "the weight gradient agrees with the definition, stored or accumulated",
    arguments: Level.available, DownCase.all)
  func gradient(level: Level, shape: DownCase) {
    let (fine, coarse) = (shape.fine, shape.coarse)
    let expected = shape.gradientReference(fine, coarse).dropLast(16 * shape.fineChannels)
    // Sums run over the pixels, 16 in a tile, and over the tiles of a slice.
    func bound(_ slice: Int) -> Double {
      Self.bound(16 * shape.tiles, summed: min(shape.tiles, slice))
    }
    let once = shape.gradient(level, fine, coarse)
    #expect(Self.worst(once, Array(expected)) <= bound(Int(BG_WIN_SUM)))
    let added = shape.gradient(level, fine, coarse, slice: 3, from: 2)
    #expect(Self.worst(added, expected.map { $0 + 2 }) <= bound(3) + 0x1p-22)
  }
}
