import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

extension ONNXExportOptions.OutputRange: ExpressibleByArgument {}
extension ONNXExportOptions.Layout: ExpressibleByArgument {}
extension ONNXExportOptions.Storage: ExpressibleByArgument {}

/// Writes a generator as ONNX.
struct Write: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a generator as one self-contained ONNX file.",
    discussion: """
      The graph takes `latent`, [batch, nz, 1, 1] of standard normal numbers, and gives `image`, \
      [batch, channels, side, side] in -1...1, for any batch. The same generator and flags give the \
      same bytes.

      Before the file takes its name it is read back, drawn with by a plain engine of its own, and \
      compared with the engine that bollygan-infer uses. Where the faces differ by more than 2e-5 \
      the command ends with 1, and a file that was there before stays as it was.

      EXAMPLES

        The generator that came with this program:
          bollygan-export model.onnx

        Half the size: weights in float16, arithmetic in float32 all the same:
          bollygan-export --dtype f16 model.onnx

        Bytes for a screen, one row of RGB pixels after another, from a plain vector:
          bollygan-export --latent-rank 2 --output-range u8 --layout nhwc web.onnx

        16 faces in Python, with onnxruntime:
          import numpy, onnxruntime
          session = onnxruntime.InferenceSession("model.onnx")
          latent = numpy.random.randn(16, 64, 1, 1).astype("float32")
          image = session.run(["image"], {"latent": latent})[0]

        The very faces of bollygan-infer --seed 42 --count 16 --save-latents z.npy:
          latent = numpy.load("z.npy").reshape(16, 64, 1, 1)
      """)

  @Argument(
    help: ArgumentHelp("File to write, or - for standard output.", valueName: "model.onnx"))
  var output: String

  @OptionGroup var source: SourceOptions

  @Option(
    help: ArgumentHelp(
      "Version of the operator set, 11 to 28; 17 is ONNX 1.12 of 2022.", valueName: "n"))
  var opset = ONNXExportOptions().opset

  @Option(
    help: ArgumentHelp(
      "Version of the container, 4 to 14. (default: the one that the operator set came with)",
      valueName: "n"))
  var ir: Int?

  @Flag(help: "Keep batch normalisation as nodes; it is folded into the kernels otherwise.")
  var keepNorm = false

  @Option(
    help: ArgumentHelp(
      "How weights are stored; the arithmetic is float32. int8 has a factor for each output channel.",
      valueName: "type"))
  var dtype = ONNXExportOptions.Storage.f32

  @Option(
    help: ArgumentHelp(
      "What the numbers of a picture mean: pm1 is -1...1, 01 is 0...1, u8 is bytes.",
      valueName: "range"))
  var outputRange = ONNXExportOptions.OutputRange.signed

  @Option(help: ArgumentHelp("The order of a picture's axes.", valueName: "layout"))
  var layout = ONNXExportOptions.Layout.nchw

  @Option(
    help: ArgumentHelp(
      "Axes of the latent: 4 for [batch, nz, 1, 1], 2 for [batch, nz].", valueName: "n"))
  var latentRank = 4

  @Option(
    help: ArgumentHelp("Faces a call, or dynamic for any number.", valueName: "n"))
  var batch = BatchSize.dynamic

  @Flag(help: "Put the weights into a second file beside the model, FILE.data.")
  var externalData = false

  @Flag(
    help: ArgumentHelp(
      "Also write latents and the faces that they should give, for the runtimes' own test programs, "
        + "into test_data_set_0 beside the model."))
  var testData = false

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard !output.isEmpty else { throw ValidationError("The name of the file to write is empty.") }
    do {
      try options.check()
    } catch {
      throw ValidationError("\(error).")
    }
    if output == "-", externalData || testData {
      throw ValidationError("--external-data and --test-data need a file, - is none.")
    }
    try report.checkStandardOutput(out: output)
  }

  private var options: ONNXExportOptions {
    var options = ONNXExportOptions()
    options.opset = opset
    options.irVersion = ir
    options.keepsNorm = keepNorm
    options.storage = dtype
    options.range = outputRange
    options.layout = layout
    options.latentRank = latentRank
    if case .fixed(let count) = batch { options.batch = count }
    return options
  }

  func run() async throws {
    let (path, file) = try source.load()
    report.printNotes(file.notes, about: path)
    var metadata = file.metadata
    metadata["modelspec.hash_sha256"] = metadata["modelspec.hash_sha256"] ?? "0x" + file.id
    let (bytes, data) = try CommandFailure.about(output) { () throws in
      var model = try file.weights.onnxModel(options, metadata: metadata)
      let data = externalData ? model.moveDataOut(to: dataName) : nil
      return (try model.encoded(), data)
    }
    let check =
      if let data {
        try save(bytes, to: output, beside: data, at: folder + dataName) { bytes, data in
          try selfChecked(bytes, file.weights, data: (dataName, data))
        }
      } else {
        try save(bytes, to: output) { bytes in try selfChecked(bytes, file.weights) }
      }
    if testData { try writeTestData(file.weights) }
    report.printSummary(
      "\(escaped(output)): \(file.weights.shape.summary), \(size(bytes.count + (data?.count ?? 0))), operator set "
        + "\(options.opset), IR \(options.effectiveIRVersion), \(dtype.rawValue), normalisation "
        + (keepNorm ? "kept" : "folded"))
    report.printSummary(
      "read back and drawn \(check.pictures) faces: largest difference \(check.largestDifference), "
        + "bound \(ExportCheck.tolerance)")
    if dtype != .f32 {
      report.printSummary(
        "\(dtype.rawValue) costs: largest difference \(check.largestCost), root mean square "
          + "\(check.meanCost), of pictures in -1...1")
    }
    try report.printJSON(
      Summary(self, file, path: path, bytes: bytes.count + (data?.count ?? 0), check))
  }

  /// The output's folder, with a slash behind it, or empty.
  private var folder: String {
    output.lastIndex(of: "/").map { String(output[...$0]) } ?? ""
  }

  /// The name of the file with the weights, where they have one of their own.
  private var dataName: String { output.dropFirst(folder.count) + ".data" }

  /// What the runtimes' own test programs compare with.
  private func writeTestData(_ weights: GeneratorWeights) throws {
    let place = folder + "test_data_set_0"
    try makeFolder(place)
    let data = ONNXTestData(weights, options: options)
    for (name, tensor) in [("input_0.pb", data.input), ("output_0.pb", data.output)] {
      var file = try OutputFile("\(place)/\(name)")
      try file.write(tensor.encoded())
      try file.finish()
    }
  }

  private func selfChecked(
    _ bytes: [UInt8], _ weights: GeneratorWeights,
    data: (location: String, bytes: [UInt8])? = nil
  ) throws(CommandFailure) -> ExportCheck {
    let check: ExportCheck
    do {
      check = try ExportCheck(bytes, madeFrom: weights, options: options, data: data)
    } catch {
      throw CommandFailure(.notSo, file: output, "self-check: it cannot be read back: \(error)")
    }
    guard check.holds else {
      throw CommandFailure(
        .notSo, file: output,
        "self-check: faces drawn from the file differ from those of the engine by up to "
          + "\(check.largestDifference), the bound is \(ExportCheck.tolerance); nothing was written"
      )
    }
    return check
  }
}

/// `dynamic`, or a number of faces.
enum BatchSize: Equatable, ExpressibleByArgument, CustomStringConvertible {
  case dynamic
  case fixed(Int)

  init?(argument: String) {
    if argument == "dynamic" {
      self = .dynamic
    } else if let count = Int(argument) {
      self = .fixed(count)
    } else {
      return nil
    }
  }

  var description: String {
    switch self {
    case .dynamic: "dynamic"
    case .fixed(let count): "\(count)"
    }
  }

  var defaultValueDescription: String { description }
}

extension DCGANShape {
  /// A generator's sizes in a few words.
  var summary: String {
    "\(side)x\(side) \(channels == 1 ? "gray" : "RGB"), latent \(latent), width \(generatorWidth)"
  }
}

/// A number of bytes as people say it.
func size(_ bytes: Int) -> String {
  guard bytes >= 1000 else { return "\(bytes) bytes" }
  let (unit, name) = bytes < 1_000_000 ? (1e3, "kB") : (1e6, "MB")
  return "\((Double(bytes) / unit * 10).rounded() / 10) \(name)"
}

/// What was written, as `--json` says it.
private struct Summary: Encodable {
  /// Grows when a field changes its meaning or goes away.
  let schema = 1
  let command = "write"
  let out: String
  let bytes: Int
  let opset: Int
  let ir: Int
  let dtype: String
  let norm: String
  let outputRange: String
  let layout: String
  let latentRank: Int
  /// nil for any.
  let batch: Int?
  let model: Model
  let check: Check
  let cost: Cost?

  struct Model: Encodable {
    let file: String
    let format: String
    /// SHA-256 of the weights.
    let id: String
    let latent, width, side, channels: Int
  }

  struct Check: Encodable {
    let faces: Int
    let largestDifference, bound: Float
  }

  /// What rounding the weights changed, in pictures of −1…1.
  struct Cost: Encodable {
    let largestDifference, rootMeanSquare: Float
  }

  init(_ write: Write, _ file: GeneratorFile, path: String, bytes: Int, _ check: ExportCheck) {
    out = write.output
    self.bytes = bytes
    opset = write.opset
    var options = ONNXExportOptions()
    options.opset = write.opset
    options.irVersion = write.ir
    ir = options.effectiveIRVersion
    dtype = write.dtype.rawValue
    norm = write.keepNorm ? "kept" : "folded"
    outputRange = write.outputRange.rawValue
    layout = write.layout.rawValue
    latentRank = write.latentRank
    batch = if case .fixed(let count) = write.batch { count } else { nil }
    let shape = file.weights.shape
    model = Model(
      file: path, format: file.format.rawValue, id: file.id, latent: shape.latent,
      width: shape.generatorWidth, side: shape.side, channels: shape.channels)
    self.check = Check(
      faces: check.pictures, largestDifference: check.largestDifference,
      bound: ExportCheck.tolerance)
    cost =
      write.dtype == .f32
      ? nil : Cost(largestDifference: check.largestCost, rootMeanSquare: check.meanCost)
  }
}
