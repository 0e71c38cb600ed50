public import BollyGANCompute
internal import BollyGANKernels
public import BollyGANModel

/// What this machine does with the loops and with whole faces, measured.
public struct Benchmark: Sendable {
  /// Operations a second of one kernel.
  public struct Kernel: Sendable {
    /// The kernel's name, or the layer's whose product it is.
    public let name: String
    /// The instruction set.
    public let level: InstructionSet
    /// Threads that worked.
    public let threads: Int
    /// 10⁹ floating-point operations a second; a multiply-add counts as two, and a layer by the
    /// direct count of its transposed convolution.
    public let gflops: Double
    /// Part of the peak that was measured on as many threads.
    public let share: Double
  }

  /// Speed of whole faces, latents to pixels.
  public struct Faces: Sendable {
    /// Faces a call.
    public let batch: Int
    /// Threads that worked.
    public let threads: Int
    /// The instruction set.
    public let level: InstructionSet
    /// Faces a second at the median call.
    public let facesPerSecond: Double
    /// Milliseconds a call at percentiles 50, 95 and 99.
    public let milliseconds: (p50: Double, p95: Double, p99: Double)
  }

  /// 10⁹ operations a second in registers alone, by instruction set and threads.
  public private(set) var peak: [InstructionSet: [Int: Double]] = [:]
  /// Every kernel at every level.
  public private(set) var kernels: [Kernel] = []
  /// Whole faces.
  public private(set) var faces: [Faces] = []

  /// Measures.
  ///
  /// - Parameters:
  ///   - weights: The generator that draws the faces.
  ///   - levels: Instruction sets to measure.
  ///   - threads: The most threads.
  ///   - seconds: Time for each figure.
  ///   - progress: Told what is measured next.
  public init(
    _ weights: GeneratorWeights, levels: [InstructionSet] = InstructionSet.available,
    threads: Int = Generator.processors, seconds: Double = 0.3,
    progress: (String) -> Void = { _ in }
  ) {
    for level in levels {
      for count in 1...max(1, threads) {
        let workers = Workers(count: count)
        progress("\(level.rawValue), \(count) threads: peak")
        peak[level, default: [:]][count] = Self.peak(level, workers, seconds)
      }
    }
    for level in levels {
      for count in 1...max(1, threads) {
        progress("\(level.rawValue), \(count) threads: kernels")
        measureKernels(level, Workers(count: count), seconds)
      }
    }
    for level in levels {
      for count in 1...max(1, threads) {
        let generator = Generator(weights, instructionSet: level, threads: count)
        progress("\(level.rawValue), \(count) threads: layers")
        for layer in Plan(generator, batch: 64, seconds: seconds).layers {
          let gflops = 2 * Double(layer.directMultiplyAdds) / layer.measuredSeconds / 1e9
          kernels.append(
            Kernel(
              name: layer.name, level: level, threads: count, gflops: gflops,
              share: gflops / (peak[level]?[count] ?? 1)))
        }
        for batch in [1, 4, 16, 64, 256] {
          progress("\(level.rawValue), \(count) threads: batches of \(batch)")
          faces.append(Self.measure(generator, batch: batch, seconds: seconds))
        }
      }
    }
  }

  // MARK: Measuring

  /// Seconds of the fastest of many calls, after one that is not counted.
  private static func best(_ seconds: Double, _ body: () -> Void) -> Double {
    times(seconds, body)[0]
  }

  /// Seconds of each call, sorted, for about the given time and at least 5 calls.
  static func times(_ seconds: Double, _ body: () -> Void) -> [Double] {
    let clock = ContinuousClock()
    body()
    let end = clock.now + .seconds(seconds)
    var times: [Double] = []
    while times.count < 5 || clock.now < end {
      let start = clock.now
      body()
      times.append((clock.now - start) / .seconds(1))
    }
    return times.sorted()
  }

  static func peak(
    _ level: InstructionSet, _ workers: Workers, _ seconds: Double
  ) -> Double {
    let kernels = unsafe level.kernels
    let rounds = 200_000
    let operations = unsafe 2 * Double(rounds) * Double(BG_PEAK_CHAINS * kernels.lanes)
    let time = best(seconds) {
      workers.run(workers.count) { _, _ in unsafe blackHole(kernels.peak(rounds)) }
    }
    return operations * Double(workers.count) / time / 1e9
  }

  private mutating func measureKernels(
    _ level: InstructionSet, _ workers: Workers, _ seconds: Double
  ) {
    let kernels = unsafe level.kernels
    let ceiling = peak[level]?[workers.count] ?? 1
    func note(_ name: String, operations: Double, seconds: Double) -> Kernel {
      let gflops = operations / seconds / 1e9
      return Kernel(
        name: name, level: level, threads: workers.count, gflops: gflops, share: gflops / ceiling)
    }
    // The two products on operands that lie in the cache, a tile a thread.
    let (rows, columns) = unsafe (Int(kernels.rows), Int(kernels.columns))
    let depth = Int(BG_DEPTH_BLOCK)
    let calls = 40
    let operations = 2 * Double(rows * columns * depth * calls * workers.count)
    let memory = (0..<workers.count).map { _ in
      (
        left: FloatBuffer(count: rows * Int(BG_ROW_STRIDE)),
        right: FloatBuffer(count: depth * columns), out: FloatBuffer(count: rows * columns)
      )
    }
    for (name, isRows) in [("multiply_rows", true), ("multiply_panels", false)] {
      let time = Self.best(seconds) {
        workers.run(workers.count) { task, _ in
          let (left, right, out) = memory[task]
          let targets: [UnsafeMutablePointer<Float>?] = unsafe (0..<rows).map {
            unsafe out.base + $0 * columns
          }
          unsafe targets.withUnsafeBufferPointer { targets in
            var tile = unsafe bg_tile(
              rows: targets.baseAddress!, count: rows, columns: columns, bias: nil, accumulate: 0,
              rectify: 0, slope: 0)
            for _ in 0..<calls {
              if isRows {
                unsafe kernels.multiply_rows(depth, left.base, right.base, &tile)
              } else {
                unsafe kernels.multiply_panels(depth, left.base, right.base, &tile)
              }
            }
          }
        }
      }
      self.kernels.append(note(name, operations: operations, seconds: time))
    }
  }

  private static func measure(_ generator: Generator, batch: Int, seconds: Double) -> Faces {
    let latents = TorchRandom.latents(seed: 42, count: batch * generator.shape.latent)
    let times = times(seconds) { _ = generator.pixels(latents: latents) }
    func percentile(_ p: Double) -> Double {
      times[min(times.count - 1, Int((p * Double(times.count)).rounded(.up)) - 1)] * 1000
    }
    let (p50, p95, p99) = (percentile(0.5), percentile(0.95), percentile(0.99))
    return Faces(
      batch: batch, threads: generator.threads, level: generator.instructionSet,
      facesPerSecond: Double(batch) / p50 * 1000, milliseconds: (p50, p95, p99))
  }
}

extension TorchRandom {
  static func latents(seed: Int64, count: Int) -> [Float] {
    var random = TorchRandom(seed: seed)
    return random.normal(count: count)
  }
}

/// Keeps the compiler from leaving out what computes `value`.
@inline(never) private func blackHole(_ value: Float) {
  withExtendedLifetime(value) {}
}
