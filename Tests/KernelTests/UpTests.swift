import BollyGANKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What stands where a kernel must not write.
private let canary: Float = 12345

/// A transposed convolution on random numbers: coarse maps within a margin that must not matter.
struct UpCase: CustomTestStringConvertible, Sendable {
  let images: Int
  let side: Int
  let depth: Int
  let columns: Int
  var slope: Float = 0
  var parts = 1
  /// Fine maps go past the caches.
  var streams = false
  /// Maps lie in chunks of channels.
  var inChunks = false

  var testDescription: String {
    "\(images) x \(side)x\(side)x\(depth) to \(columns), slope \(slope), \(parts) parts"
  }

  /// Depths below, at and beyond one sum of the products; columns that fill panels and do not; numbers
  /// of tiles on both sides of where the loops for few tiles end, and that leave groups unfilled; images
  /// that end within a group, and whose tiles are not all kept at once; the largest side; a last group that is
  /// cut in two, also where a block of tiles ends.
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

  /// The definition, in float64.
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

  /// What the kernels make of it; fine maps lie `gap` floats apart, and what is between them is
  /// checked to be left alone.
  func run(_ level: Level, _ coarse: [Float]) -> [Float] {
    let kernels = unsafe level.kernels
    let width = Int(unsafe kernels.columns)
    let panels = (columns + width - 1) / width
    var taps = [Float](repeating: 0, count: 16 * panels * depth * width)
    unsafe bg_pack_up(
      kernel, 0, depth, columns, [Double](repeating: 1.0 / 81, count: columns), depth, panels,
      width,
      &taps)
    let padded = bias + [Float](repeating: 0, count: panels * width - columns)
    let tiles = images * side * side / 16
    let height = Int(
      tiles <= Int(unsafe kernels.small_job_tiles) ? unsafe kernels.row_step : unsafe kernels.rows)
    let groups = (tiles + height - 1) / height
    // Whole lines of the cache where maps go past it.
    let gap = streams ? 16 : 5
    let fine = 4 * side * side * columns + gap
    var out = [Float](repeating: canary, count: images * fine + 16)
    var start = 0
    // Whatever stands in the memory that is lent must not matter.
    var planes = [Float](
      repeating: 1e30, count: 25 * ((tiles + Int(unsafe kernels.rows)) * depth + Int(BG_WIN_PAD)))
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

/// Maps `[images, pixels, channels]` as `[images, chunks, pixels, BG_CHANNEL_UNIT]`, or the other way round.
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

/// Two pictures from maps on random numbers: summed directly from maps as training has them, or fast from
/// such as the engine has; cut into some parts, also into more than there are rows of tiles.
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

  /// The same operator, to take numbers from.
  var up: UpCase { UpCase(images: 2, side: side, depth: depth, columns: channels, slope: 1) }

  /// For sums below 4.
  var coarse: [Float] { up.coarse.map { $0 / Float(depth).squareRoot() } }

  struct Drawn: Equatable {
    /// `[2, channels, 2 side, 2 side]`, behind tanh.
    var planar: [Float]
    /// `[2, 2 side, 2 side, channels]`, behind tanh, and without it.
    var bytes: [UInt8]
    var linear: [Float]
  }

  func run(_ level: Level, parts: Int) -> Drawn {
    let kernels = unsafe level.kernels
    let draw = unsafe isFast ? kernels.fast_picture! : kernels.direct_picture!
    let kernel = up.kernel
    let (rows, lanes) = unsafe (Int(kernels.rows), Int(kernels.lanes))
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
    // Pictures in a frame of one pixel, as training keeps them.
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
  // Inputs and weights are below 1. A direct sum of n products is off by about √n half-ulps of its
  // size, √n/3; the transforms enlarge that by 2.1 where four taps of one tile meet, and by twice that
  // in a tile whose transformed numbers happen to be large, which sums of few channels do not even
  // out (measured: 1.3 on average over what a tile adds to); 6 deviations are not passed.
  static func bound(_ depth: Int) -> Double {
    let terms = Double(4 * depth)
    return 6 * 4 * (min(terms, 512).squareRoot() / 2) * (terms.squareRoot() / 3) * 0x1p-24
  }

  @Test("is the transposed convolution", arguments: Level.available, UpCase.all)
  func agrees(level: Level, shape: UpCase) {
    let coarse = shape.coarse
    let out = shape.run(level, coarse)
    let worst = zip(out, shape.reference(coarse)).map { abs(Double($0) - $1) }.max()!
    #expect(worst <= Self.bound(shape.depth))
  }

  @Test(
    "past the caches go the same bits, and so do chunks of channels", arguments: Level.available,
    UpCase.all)
  func forms(level: Level, shape: UpCase) {
    let bits = shape.run(level, shape.coarse)
    for (streams, inChunks) in [(true, false), (false, true), (true, true)] {
      var other = shape
      (other.streams, other.inChunks) = (streams, inChunks)
      #expect(other.run(level, shape.coarse) == bits)
    }
  }

  @Test("levels with fused multiply-add give equal bits", arguments: UpCase.all)
  func levels(shape: UpCase) {
    let fused = Level.available.filter { unsafe $0.kernels.fused != 0 }
    let results = fused.map { shape.run($0, shape.coarse) }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }

  @Test(
    "an image is the same bits alone, in a small batch and in a large one",
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
    "a picture is the transposed convolution, behind tanh as floats and as bytes, or as it is",
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
    // Sums of 4 depth products of numbers below 1 and 1/√depth are 2/3 in size; those of a tap, of at most
    // 128 before they are added, round as above, without the corners. Fast, they round as above altogether,
    // by 1/√depth less. tanh is off by 2 ulp at most.
    let roundings = Double(min(depth, Int(BG_WIN_SUM)))
    let bound =
      shape.isFast
      ? Self.bound(depth) / Double(depth).squareRoot()
      : 6 * (roundings.squareRoot() / 2) * 2 / 3 * 0x1p-24
    #expect(worst <= bound + 2 * 0x1p-24)
    #expect(wrongBytes == 0)
    // Without tanh the last additions are rounded at a size of up to 4.
    #expect(worstLinear <= bound + 4 * 0x1p-24)
  }

  @Test(
    "a picture is the same bits in one part and in many, on all levels with fused multiply-add",
    arguments: PictureCase.all)
  func pictureBits(shape: PictureCase) {
    var fused: PictureCase.Drawn?
    for level in Level.available {
      let drawn = shape.run(level, parts: 1)
      #expect(shape.run(level, parts: shape.parts) == drawn)
      #expect(shape.run(level, parts: 2) == drawn)
      guard unsafe level.kernels.fused != 0 else { continue }
      #expect(fused ?? drawn == drawn)
      fused = drawn
    }
  }
}
