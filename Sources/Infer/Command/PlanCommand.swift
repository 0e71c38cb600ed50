import ArgumentParser
import BollyGANInfer
import BollyGANModel

/// The subcommand `plan`, which shows how a batch is drawn.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show how each layer is computed and what it costs.",
    discussion: """
      For each layer, prints the algorithm, the register tile of its products, the faces that go \
      through it in one pass, and MB of weights. The other figures are for one face: KB of maps, \
      millions of multiply-adds (of the algorithm, and of the definition), and microseconds, first \
      the minimum if the products ran at the measured peak of this processor, then as measured. \
      The last column is the first of these times divided by the second.

        bollygan-infer plan
        bollygan-infer plan --batch 1 --threads 1 --kernels avx2
        bollygan-infer plan --json
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Faces per call of the network.", valueName: "n"))
  var batch = 64

  @OptionGroup var processor: ProcessorOptions
  @OptionGroup var measuring: MeasuringOptions

  func validate() throws {
    if !(1...4096).contains(batch) {
      throw ValidationError("--batch must be 1 to 4096, not \(batch).")
    }
  }

  func run() async throws {
    let generator = processor.generator(try model.load().weights)
    let plan = Plan(generator, batch: batch, seconds: measuring.seconds)
    try measuring.print(PlanReport(plan), lines(of: plan))
  }

  private func lines(of plan: Plan) -> [String] {
    var lines = [
      "\(plan.instructionSet.rawValue), \(plan.threads) threads, batch \(plan.batch); "
        + "peak \(number(plan.peak, 0, width: 0)) GFLOP/s",
      "layer               algorithm             tile   faces   MB     KB   M.adds direct   us min"
        + "     us  share",
    ]
    for layer in plan.layers {
      let tile = "\(layer.tile.rows)x\(layer.tile.columns)"
      lines.append(
        padded(layer.name, 20) + padded(layer.algorithm, 22) + padded(tile, 6)
          + number(Double(layer.sweep), 0, width: 5)
          + number(Double(layer.weightBytes) / 1e6, 1, width: 7)
          + number(Double(layer.mapBytes) / 1e3, 0, width: 7)
          + number(Double(layer.multiplyAdds) / 1e6, 1, width: 7)
          + number(Double(layer.directMultiplyAdds) / 1e6, 1, width: 7)
          + number(layer.predictedSeconds * 1e6, 1, width: 9)
          + number(layer.measuredSeconds * 1e6, 1, width: 7)
          + number(layer.share * 100, 0, width: 5) + " %")
    }
    let direct = plan.layers.reduce(0) { $0 + $1.directMultiplyAdds }
    let limit = plan.peak * 1e9 / (2 * Double(direct))
    let faces = 1 / plan.measuredSeconds
    lines.append(
      "\(number(faces, 0, width: 0)) faces per second, \(number(faces / limit, 2, width: 0)) times "
        + "the \(number(limit, 0, width: 0)) that direct convolution could reach at the peak")
    return lines
  }
}

/// The plan, as `--json` prints it.
private struct PlanReport: Encodable {
  struct Layer: Encodable {
    let name, algorithm: String
    let tile_rows, tile_columns, faces: Int
    let weight_bytes, map_bytes, multiply_adds, direct_multiply_adds: Int
    let predicted_us, measured_us, share: Double
  }

  /// Increases when a field changes its meaning or is removed.
  let schema = 1
  let version = bollyganVersion
  let level: String
  let batch, threads: Int
  let peak_gflops, faces_per_second: Double
  let layers: [Layer]

  init(_ plan: Plan) {
    level = plan.instructionSet.rawValue
    batch = plan.batch
    threads = plan.threads
    peak_gflops = plan.peak
    faces_per_second = 1 / plan.measuredSeconds
    layers = plan.layers.map {
      Layer(
        name: $0.name, algorithm: $0.algorithm, tile_rows: $0.tile.rows,
        tile_columns: $0.tile.columns, faces: $0.sweep, weight_bytes: $0.weightBytes,
        map_bytes: $0.mapBytes, multiply_adds: $0.multiplyAdds,
        direct_multiply_adds: $0.directMultiplyAdds, predicted_us: $0.predictedSeconds * 1e6,
        measured_us: $0.measuredSeconds * 1e6, share: $0.share)
    }
  }
}
