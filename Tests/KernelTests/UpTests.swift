import BollyGANKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A transposed convolution on random numbers. Coarse maps have a margin, whose content must not
/// matter.
struct UpCase: CustomTestStringConvertible, Sendable {
  let images: Int
  let side: Int
  let depth: Int
  let columns: Int
  var slope: Float = 0
  var parts = 1
  /// Whether fine maps are stored past the caches.
  var streams = false
  /// Whether maps are stored in chunks of channels.
  var inChunks = false

  var testDescription: String {
    "\(images) x \(side)x\(side)x\(depth) to \(columns), slope \(slope), \(parts) parts"
  }

  /// The cases cover depths below, equal to and above the length of one sum; columns that do and do
  /// not fill panels; fewer and more tiles than a small job has, and numbers that do not fill
  /// groups; images that end within a group, and that have more tiles than one block; the largest
  /// side; and a last group that is divided in two, also at the end of a block.
  static let all = [
    UpCase(images: 1, side: 4, depth: 16, columns: 16),
    UpCase(images: 2, side: 4, depth: 144, columns: 48, slope: 0.2),
    UpCase(images: 3, side: 8, depth: 128, columns: 32, parts: 2),
    UpCase(images: 5, side: 12, depth: 32, columns: 80, slope: 1),
    UpCase(images: 33, side: 4, depth: 272, columns: 16, parts: 3),
    UpCase(images: 7, side: 16, depth: 16, columns: 32),
    UpCase(images: 5, side: 20, depth: 144, columns: 16, parts: 2),
    UpCase(images: 1, side: 64, depth: 16, columns: 32, slope: 0.2),
    UpCase(images: 37, side: 4, depth: 16, columns: 16),
    UpCase(images: 98, side: 4, depth: 144, columns: 16),
    UpCase(images: 98, side: 4, depth: 16, columns: 32, parts: 2),
  ]

  var coarse: [Float] {
    var numbers = Numbers(state: UInt64(side * depth))
    let row = side + 2
    var map = [Float](repeating: .nan, count: images * row * row * depth)
    for image in 0..<images {
      for i in 1...side {
        for j in 1...side {
          let start = ((image * row + i) * row + j) * depth
          map.replaceSubrange(start..<start + depth, with: numbers.floats(depth))
        }
      }
    }
    return map
  }

  /// `[depth, columns, 4, 4]`.
  var kernel: [Float] {
    var numbers = Numbers(state: 7)
    return numbers.floats(depth * columns * 16)
  }

  var bias: [Float] {
    var numbers = Numbers(state: 9)
    return numbers.floats(columns)
  }

  /// The transposed convolution by definition, in float64.
  func reference(_ coarse: [Float]) -> [Double] {
    let (kernel, bias) = (kernel, bias)
    let (fine, row) = (2 * side, side + 2)
    var out = (0..<images * fine * fine).flatMap { _ in bias.map(Double.init) }
    for image in 0..<images {
      for i in 0..<side {
        for j in 0..<side {
          let from = ((image * row + i + 1) * row + j + 1) * depth
          for u in 0..<4 {
            for v in 0..<4 {
              let (p, q) = (2 * i + u - 1, 2 * j + v - 1)
              guard (0..<fine).contains(p), (0..<fine).contains(q) else { continue }
              let to = ((image * fine + p) * fine + q) * columns
              for c in 0..<depth {
                let x = Double(coarse[from + c])
                for d in 0..<columns {
                  out[to + d] += x * Double(kernel[(c * columns + d) * 16 + 4 * u + v])
                }
              }
            }
          }
        }
      }
    }
    return out.map { max(0, $0) + Double(slope) * min(0, $0) }
  }

  /// The transposed convolution as the kernels compute it. Checks that gaps between fine maps are
  /// not written.
  func run(_ level: Level, _ coarse: [Float]) -> [Float] {
    let kernels = level.kernels
    let width = Int(kernels.columns)
    let panels = (columns + width - 1) / width
    var taps = [Float](repeating: 0, count: 16 * panels * depth * width)
    unsafe bg_pack_up(
      kernel, 0, depth, columns, [Double](repeating: 1.0 / 81, count: columns), depth, panels,
      width,
      &taps)
    let padded = bias + [Float](repeating: 0, count: panels * width - columns)
    let tiles = images * side * side / 16
    let height = Int(
      tiles <= Int(kernels.small_job_tiles) ? kernels.row_step : kernels.rows)
    let groups = (tiles + height - 1) / height
    // Whole cache lines if maps are stored past the caches.
    let gap = streams ? 16 : 5
    let fine = 4 * side * side * columns + gap
    var out = [Float](repeating: canary, count: images * fine + 16)
    var start = 0
    // The initial content of scratch memory must not matter.
    var planes = [Float](
      repeating: 1e30, count: 25 * ((tiles + Int(kernels.rows)) * depth + Int(BG_WIN_PAD)))
    var scratch = [Float](repeating: 1e30, count: bg_scratch_floats(width) + 1)
    scratch[scratch.count - 1] = canary
    let unit = Int(BG_CHANNEL_UNIT)
    let pixels = (side + 2) * (side + 2)
    let maps = inChunks ? chunks(coarse, pixels: pixels, channels: depth) : coarse
    let (pixel, finePixel) = inChunks ? (unit, unit) : (depth, columns)
    unsafe withPointers(maps, taps, padded, &planes, &scratch, &out) {
      coarse, taps, bias, planes, scratch, out in
      start = (0..<16).first { unsafe Int(bitPattern: out + $0) % 64 == 0 }!
      var job = unsafe bg_up(
        images: images, side: side, depth: depth, columns: columns,
        from: coarse + (side + 3) * pixel, from_image: pixels * depth,
        from_row: (side + 2) * pixel, from_pixel: pixel,
        from_chunk: inChunks ? pixels * unit : unit, to: out + start, to_image: fine,
        to_row: 2 * side * finePixel, to_pixel: finePixel,
        to_chunk: inChunks ? 4 * side * side * unit : unit, taps: taps, bias: bias, slope: slope,
        planes: planes, parts: parts, streams: streams ? 1 : 0)
      for task in 0..<groups { unsafe kernels.up_input(&job, task) }
      for task in (0..<4 * panels * parts).reversed() {
        unsafe kernels.up_output(&job, task, scratch)
      }
    }
    #expect(scratch.last == canary)
    var values: [Float] = []
    for image in 0..<images {
      let begin = start + image * fine
      values += out[begin..<begin + fine - gap]
      #expect(out[begin + fine - gap..<begin + fine].allSatisfy { $0 == canary })
    }
    return inChunks
      ? chunks(values, pixels: 4 * side * side, channels: columns, back: true) : values
  }
}

/// Reorders maps `[images, pixels, channels]` to `[images, chunks, pixels, BG_CHANNEL_UNIT]`, or
/// `back`.
private func chunks(_ maps: [Float], pixels: Int, channels: Int, back: Bool = false) -> [Float] {
  let unit = Int(BG_CHANNEL_UNIT)
  var out = maps
  for image in 0..<maps.count / (pixels * channels) {
    for pixel in 0..<pixels {
      for c in 0..<channels {
        let last = (image * pixels + pixel) * channels + c
        let chunked =
          image * pixels * channels + (c / unit * pixels + pixel) * unit + c % unit
        if back { out[last] = maps[chunked] } else { out[chunked] = maps[last] }
      }
    }
  }
  return out
}

private func withPointers(
  _ a: [Float], _ b: [Float], _ c: [Float], _ d: inout [Float], _ e: inout [Float],
  _ f: inout [Float],
  _ body: (
    UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
  ) -> Void
) {
  unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe c.withUnsafeBufferPointer { c in
        unsafe d.withUnsafeMutableBufferPointer { d in
          unsafe e.withUnsafeMutableBufferPointer { e in
            unsafe f.withUnsafeMutableBufferPointer { f in
              unsafe body(
                a.baseAddress!, b.baseAddress!, c.baseAddress!, d.baseAddress!, e.baseAddress!,
                f.baseAddress!)
            }
          }
        }
      }
    }
  }
}

/// Two images from maps of random numbers, cut into parts, sometimes more than there are rows of
/// tiles. The direct sum reads maps in training's layout, the fast convolution in the engine's.
struct PictureCase: CustomTestStringConvertible, Sendable {
  let side: Int
  let depth: Int
  let channels: Int
  let parts: Int
  let isFast: Bool

  var testDescription: String {
    "\(side)x\(side)x\(depth) to \(channels), \(parts) parts\(isFast ? ", fast" : "")"
  }

  static let all = [false, true].flatMap { isFast in
    [
      (4, 16, 3, 1), (8, 144, 1, 3), (12, 16, 2, 2), (16, 32, 3, 2), (32, 64, 3, 5), (64, 16, 4, 1),
      (68, 16, 1, 2), (128, 16, 3, 1),
    ].map { PictureCase(side: $0.0, depth: $0.1, channels: $0.2, parts: $0.3, isFast: isFast) }
  }

  /// The same operator as an `UpCase`, which supplies the numbers.
  var up: UpCase { UpCase(images: 2, side: side, depth: depth, columns: channels, slope: 1) }

  /// Scaled so that sums stay below 4.
  var coarse: [Float] { up.coarse.map { $0 / Float(depth).squareRoot() } }

  struct Drawn: Equatable {
    /// After tanh: `[2, channels, 2 side, 2 side]`.
    var planar: [Float]
    /// After tanh: `[2, 2 side, 2 side, channels]`.
    var bytes: [UInt8]
    /// Without tanh: `[2, 2 side, 2 side, channels]`.
    var linear: [Float]
  }

  func run(_ level: Level, parts: Int) -> Drawn {
    let kernels = level.kernels
    let draw = unsafe isFast ? kernels.fast_picture! : kernels.direct_picture!
    let kernel = up.kernel
    let (rows, lanes) = (Int(kernels.rows), Int(kernels.lanes))
    let columns = isFast ? bg_picture_columns(channels, lanes) : 16 * channels
    var weights = [Float](
      repeating: 0, count: (isFast ? Int(BG_WIN_PLANES) : 1) * depth * columns)
    if isFast {
      unsafe bg_pack_picture(
        kernel, depth, channels, [Double](repeating: 1, count: channels), depth, columns, &weights)
    } else {
      for c in 0..<depth {
        for d in 0..<channels {
          for tap in 0..<16 {
            weights[(c * 16 + tap) * channels + d] = kernel[(c * channels + d) * 16 + tap]
          }
        }
      }
    }
    let size = 4 * side * side * channels
    var planar = [Float](repeating: canary, count: 2 * size + 1)
    var bytes = [UInt8](repeating: 77, count: 2 * size + 1)
    let room =
      isFast
      ? bg_picture_floats(side, depth, channels, lanes)
      : (side + rows) * depth + 2 * side * channels + 2 * (side + 2 + rows) * 16 * channels
    var scratch = [Float](repeating: 1e30, count: room + 1)
    scratch[room] = canary
    // Images with a margin of one pixel, as in training.
    let frame = (2 * side + 2) * channels
    var map = [Float](repeating: canary, count: 2 * (2 * side + 2) * frame)
    let unit = Int(BG_CHANNEL_UNIT)
    let pixels = (side + 2) * (side + 2)
    let maps = isFast ? chunks(coarse, pixels: pixels, channels: depth) : coarse
    let pixel = isFast ? unit : depth
    unsafe withPointers(maps, weights, up.bias, &planar, &scratch, &map) {
      coarse, weights, bias, planar, scratch, map in
      var job = unsafe bg_picture(
        side: side, depth: depth, channels: channels, from: coarse + (side + 3) * pixel,
        from_image: pixels * depth, from_row: (side + 2) * pixel, from_pixel: pixel,
        from_chunk: isFast ? pixels * unit : unit, weights: isFast ? nil : weights,
        planes: isFast ? weights : nil, bias: bias, bytes: nil, planar: planar, map: nil,
        map_image: 0, map_row: 0, linear: 0, parts: parts)
      for task in 0..<2 * parts { unsafe draw(&job, task, scratch) }
      unsafe bytes.withUnsafeMutableBufferPointer { bytes in
        unsafe (job.bytes, job.planar) = (bytes.baseAddress, nil)
        for task in (0..<2 * parts).reversed() { unsafe draw(&job, task, scratch) }
      }
      unsafe (job.bytes, job.map) = (nil, map + frame + channels)
      unsafe (job.map_image, job.map_row, job.linear) = ((2 * side + 2) * frame, frame, 1)
      for task in 0..<2 * parts { unsafe draw(&job, task, scratch) }
    }
    #expect(planar.last == canary && bytes.last == 77 && scratch[room] == canary)
    #expect(map.count { $0 == canary } == map.count - 2 * size)
    var linear: [Float] = []
    for row in 0..<2 * (2 * side + 2)
    where !(row % (2 * side + 2) == 0 || row % (2 * side + 2) == 2 * side + 1) {
      linear += map[row * frame + channels..<(row + 1) * frame - channels]
    }
    return Drawn(
      planar: Array(planar.dropLast()), bytes: Array(bytes.dropLast()), linear: linear)
  }
}

@Suite("Fast transposed convolution")
struct UpTests {
  // Inputs and weights are below 1. A direct sum of n products has the size √n/3 and is off by
  // about √n half-ulps of that. The transforms enlarge the error by 2.1 where four taps of one tile
  // meet, and by twice that in a tile whose transformed numbers happen to be large, which sums over
  // few channels do not average out (measured: 1.3 on average over the pixels of a tile). Six
  // standard deviations are never exceeded.
  static func bound(_ depth: Int) -> Double {
    let terms = Double(4 * depth)
    return 6 * 4 * (min(terms, 512).squareRoot() / 2) * (terms.squareRoot() / 3) * 0x1p-24
  }

  @Test("up agrees with the definition", arguments: Level.available, UpCase.all)
  func agrees(level: Level, shape: UpCase) {
    let coarse = shape.coarse
    let out = shape.run(level, coarse)
    let worst = zip(out, shape.reference(coarse)).map { abs(Double($0) - $1) }.max()!
    #expect(worst <= Self.bound(shape.depth))
  }

  @Test(
    "stores past the caches and chunks of channels produce the same bits",
    arguments: Level.available,
    UpCase.all)
  func forms(level: Level, shape: UpCase) {
    let bits = shape.run(level, shape.coarse)
    for (streams, inChunks) in [(true, false), (false, true), (true, true)] {
      var other = shape
      (other.streams, other.inChunks) = (streams, inChunks)
      #expect(other.run(level, shape.coarse) == bits)
    }
  }

  @Test("levels with fused multiply-add produce equal bits", arguments: UpCase.all)
  func levels(shape: UpCase) {
    let fused = Level.fused
    let results = fused.map { shape.run($0, shape.coarse) }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }

  @Test(
    "an image has the same bits alone, in a small batch and in a large one",
    arguments: Level.available)
  func neighbours(level: Level) {
    for (side, depth) in [(4, 144), (8, 32)] {
      let large = UpCase(images: 41, side: side, depth: depth, columns: 48)
      let coarse = large.coarse
      let all = large.run(level, coarse)
      let (input, output) = (coarse.count / 41, all.count / 41)
      for (images, parts) in [(1, 1), (2, 1), (9, 2), (17, 3)] {
        let first = 41 - images
        let some = UpCase(
          images: images, side: side, depth: depth, columns: 48, parts: parts
        ).run(level, Array(coarse[first * input..<41 * input]))
        #expect(some == Array(all[first * output..<41 * output]))
      }
    }
  }

  @Test(
    "the last layer agrees with the definition, as floats, as bytes, and without tanh",
    arguments: Level.available, PictureCase.all)
  func picture(level: Level, shape: PictureCase) {
    let (side, depth, channels) = (shape.side, shape.depth, shape.channels)
    let expected = shape.up.reference(shape.coarse)
    let drawn = shape.run(level, parts: shape.parts)
    var worst = 0.0
    var worstLinear = 0.0
    var wrongBytes = 0
    for image in 0..<2 {
      for pixel in 0..<4 * side * side {
        for d in 0..<channels {
          let value = drawn.planar[(image * channels + d) * 4 * side * side + pixel]
          let place = (image * 4 * side * side + pixel) * channels + d
          worst = max(worst, abs(Double(value) - tanh(expected[place])))
          worstLinear = max(worstLinear, abs(Double(drawn.linear[place]) - expected[place]))
          if drawn.bytes[place] != UInt8((value + 1) / 2 * 255 + 0.5) { wrongBytes += 1 }
        }
      }
    }
    // A sum of 4 · depth products of numbers below 1 and 1/√depth has the size 2/3. In the direct
    // sum, each tap's products, at most 128 before they are added up, round as above but without
    // the corners. The fast convolution rounds as above, smaller by 1/√depth. tanh is off by at
    // most 2 ulp.
    let roundings = Double(min(depth, Int(BG_WIN_SUM)))
    let bound =
      shape.isFast
      ? Self.bound(depth) / Double(depth).squareRoot()
      : 6 * (roundings.squareRoot() / 2) * 2 / 3 * 0x1p-24
    #expect(worst <= bound + 2 * 0x1p-24)
    #expect(wrongBytes == 0)
    // Without tanh, the last additions are rounded at a size of up to 4.
    #expect(worstLinear <= bound + 4 * 0x1p-24)
  }

  @Test(
    "the last layer has the same bits for any number of parts, and at every level that fuses",
    arguments: PictureCase.all)
  func pictureBits(shape: PictureCase) {
    var fused: PictureCase.Drawn?
    for level in Level.available {
      let drawn = shape.run(level, parts: 1)
      #expect(shape.run(level, parts: shape.parts) == drawn)
      #expect(shape.run(level, parts: 2) == drawn)
      guard level.kernels.fused != 0 else { continue }
      #expect(fused ?? drawn == drawn)
      fused = drawn
    }
  }
}
