public import BollyGANCompute
internal import BollyGANKernels
public import BollyGANModel

/// Measures how fast this machine runs the kernels, the layers and the whole network.
public struct Benchmark: Sendable {
  /// The speed of one kernel.
  public struct Kernel: Sendable {
    /// The kernel's name, or the name of the layer that it computes.
    public let name: String
    /// The instruction set.
    public let level: InstructionSet
    /// Threads that shared the work.
    public let threads: Int
    /// 10⁹ floating-point operations a second. A multiply-add counts as two, and a layer as the
    /// transposed convolution by definition.
    public let gflops: Double
    /// Share of the peak that was measured on the same number of threads.
    public let share: Double
  }

  /// The speed of whole faces, from latents to pixels.
  public struct Faces: Sendable {
    /// Faces in a call.
    public let batch: Int
    /// Threads that shared the work.
    public let threads: Int
    /// The instruction set.
    public let level: InstructionSet
    /// Faces a second, in the median call.
    public let facesPerSecond: Double
    /// Milliseconds of a call at percentiles 50, 95 and 99.
    public let milliseconds: (p50: Double, p95: Double, p99: Double)
  }

  /// 10⁹ operations a second in registers alone, by instruction set and number of threads.
  public private(set) var peak: [InstructionSet: [Int: Double]] = [:]
  /// Every kernel and layer, at every instruction set and number of threads.
  public private(set) var kernels: [Kernel] = []
  /// Whole faces, at every instruction set and number of threads.
  public private(set) var faces: [Faces] = []

  /// Measures everything.
  ///
  /// - Parameters:
  ///   - weights: The generator that draws the faces.
  ///   - levels: Instruction sets to measure.
  ///   - threads: The largest number of threads; every smaller one is measured as well.
  ///   - seconds: Time for each figure.
  ///   - progress: Is told what will be measured next.
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

  /// Seconds of the fastest call, see ``times(_:_:)``.
  private static func best(_ seconds: Double, _ body: () -> Void) -> Double {
    times(seconds, body)[0]
  }

  /// Seconds of each call, sorted. Calls `body` for about the given time and at least 5 times,
  /// after a warm-up call that is not counted.
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

  /// 10⁹ operations a second in registers alone, on all threads of a pool.
  static func peak(
    _ level: InstructionSet, _ workers: Workers, _ seconds: Double
  ) -> Double {
    let kernels = level.kernels
    let rounds = 200_000
    let operations = 2 * Double(rounds) * Double(BG_PEAK_CHAINS * kernels.lanes)
    let time = best(seconds) {
      workers.run(workers.count) { _, _ in blackHole(kernels.peak(rounds)) }
    }
    return operations * Double(workers.count) / time / 1e9
  }

  /// Measures the two products of a register tile, one tile for each thread.
  private mutating func measureKernels(
    _ level: InstructionSet, _ workers: Workers, _ seconds: Double
  ) {
    let ceiling = peak[level]?[workers.count] ?? 1
    let calls = 40
    let products = (0..<workers.count).map { _ in TileProduct(kernels: level.kernels) }
    let operations = 2 * Double(products[0].multiplyAdds * calls * workers.count)
    for (name, inPanels) in [("multiply_rows", false), ("multiply_panels", true)] {
      let time = Self.best(seconds) {
        workers.run(workers.count) { task, _ in
          products[task].run(inPanels: inPanels, times: calls)
        }
      }
      let gflops = operations / time / 1e9
      kernels.append(
        Kernel(
          name: name, level: level, threads: workers.count, gflops: gflops,
          share: gflops / ceiling))
    }
  }

  /// Measures calls of a generator.
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
  /// Normal numbers to draw faces from.
  static func latents(seed: Int64, count: Int) -> [Float] {
    var random = TorchRandom(seed: seed)
    return random.normal(count: count)
  }
}

/// Prevents the compiler from removing the computation of `value`.
@inline(never) private func blackHole(_ value: Float) {
  withExtendedLifetime(value) {}
}
