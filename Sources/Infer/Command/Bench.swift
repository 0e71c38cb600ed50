import ArgumentParser
import BollyGANInfer
import BollyGANModel

/// The subcommand `bench`, which measures kernels and whole faces on this machine.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the speed of kernels and of whole faces on this machine.",
    discussion: """
      Prints three tables: the peak, which is what the processor could do if memory were free \
      (GFLOP/s, measured); every kernel and layer, as a share of that peak; and whole faces, from \
      latents to pixels, in batches of 1 to 256. Each is measured on 1 to --threads threads, at \
      every instruction set that this processor has, or at the one named by --kernels. Any other \
      work on the machine distorts the figures.

        bollygan-infer bench
        bollygan-infer bench --threads 1 --kernels avx2
        bollygan-infer bench --json > bench.json
      """)

  @OptionGroup var model: ModelOptions

  @OptionGroup var processor: ProcessorOptions
  @OptionGroup var measuring: MeasuringOptions

  func run() async throws {
    let benchmark = Benchmark(
      try model.load().weights, levels: processor.kernels.map { [$0] } ?? InstructionSet.available,
      threads: processor.threadCount, seconds: measuring.seconds)
    try measuring.print(BenchReport(benchmark), lines(of: benchmark))
  }

  private func lines(of benchmark: Benchmark) -> [String] {
    var lines = ["Peak in registers, GFLOP/s"]
    for (level, figures) in benchmark.peak.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      for (threads, gflops) in figures.sorted(by: { $0.key < $1.key }) {
        lines.append(
          "  \(padded(level.rawValue, 9)) \(threads) threads \(number(gflops, 1, width: 9))")
      }
    }
    lines.append("Kernels, GFLOP/s and share of the peak")
    for kernel in benchmark.kernels {
      lines.append(
        "  \(padded(kernel.level.rawValue, 9)) \(kernel.threads) threads "
          + "\(padded(kernel.name, 22))\(number(kernel.gflops, 1, width: 9)) "
          + "\(number(kernel.share * 100, 0, width: 4)) %")
    }
    lines.append("Faces per second; milliseconds per call at p50, p95, p99")
    for row in benchmark.faces {
      let times = row.milliseconds
      lines.append(
        "  \(padded(row.level.rawValue, 9)) \(row.threads) threads batch "
          + "\(padded("\(row.batch)", 4))\(number(row.facesPerSecond, 1, width: 9)) "
          + [times.p50, times.p95, times.p99].map { number($0, 3, width: 10) }.joined())
    }
    return lines
  }
}

/// The figures, as `--json` prints them.
private struct BenchReport: Encodable {
  struct Kernel: Encodable {
    let name, level: String
    let threads: Int
    let gflops, share: Double
  }

  struct Faces: Encodable {
    let batch, threads: Int
    let level: String
    let faces_per_second, ms_p50, ms_p95, ms_p99: Double
  }

  /// Increases when a field changes its meaning or is removed.
  let schema = 1
  let version = bollyganVersion
  let peak_gflops: [String: [String: Double]]
  let kernels: [Kernel]
  let faces: [Faces]

  init(_ benchmark: Benchmark) {
    var peaks: [String: [String: Double]] = [:]
    for (level, figures) in benchmark.peak {
      for (threads, gflops) in figures {
        peaks[level.rawValue, default: [:]]["\(threads)"] = gflops
      }
    }
    peak_gflops = peaks
    kernels = benchmark.kernels.map {
      Kernel(
        name: $0.name, level: $0.level.rawValue, threads: $0.threads, gflops: $0.gflops,
        share: $0.share)
    }
    faces = benchmark.faces.map {
      Faces(
        batch: $0.batch, threads: $0.threads, level: $0.level.rawValue,
        faces_per_second: $0.facesPerSecond, ms_p50: $0.milliseconds.p50,
        ms_p95: $0.milliseconds.p95, ms_p99: $0.milliseconds.p99)
    }
  }
}
