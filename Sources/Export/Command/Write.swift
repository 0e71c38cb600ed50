import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

extension ONNXExportOptions.OutputRange: ExpressibleByArgument {}
extension ONNXExportOptions.Layout: ExpressibleByArgument {}
extension ONNXExportOptions.Storage: ExpressibleByArgument {}

/// Writes a generator, or a discriminator, for other programs.
struct Write: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a generator as one self-contained ONNX file, or in another format.",
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

        For PyTorch, torch.load(file, weights_only=True) and load_state_dict; for numpy.load:
          bollygan-export generator.pth
          bollygan-export generator.npz

        C99 without any library: faces.h, and its weights in faces.bin:
          bollygan-export faces.h
          cc -std=c99 -O3 -DFACES_MAIN -x c faces.h -o draw && ./draw faces.bin 42 > face.pnm

        The other network of a training run, pictures in, scores out:
          bollygan-export --discriminator --model runs/x/discriminator.safetensors judge.onnx

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
      "What to write: onnx, tensors for programs that have the network (safetensors, npz, pth), or "
        + "c. (default: by the file's ending, .h for c; onnx otherwise)", valueName: "format"))
  var format: FileFormat?

  @Flag(help: "Write --model's discriminator: image in, score out, 0 for drawn to 1 for real.")
  var discriminator = false

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
    if output == "-", externalData || testData || chosenFormat == .c {
      let what = externalData ? "--external-data" : testData ? "--test-data" : "--format c"
      throw ValidationError("\(what) needs a file, - is none.")
    }
    if chosenFormat != .onnx, let flag = flagsOfONNX.first {
      throw ValidationError("\(flag) is for ONNX, not for --format \(chosenFormat.rawValue).")
    }
    if discriminator {
      guard chosenFormat != .c else {
        throw ValidationError("--format c writes generators, no discriminators.")
      }
      guard source.isGiven else {
        throw ValidationError(
          "--discriminator needs --model: none came with this program. A training run keeps its "
            + "own, discriminator.safetensors.")
      }
      if latentRank != 4 || outputRange != .signed {
        throw ValidationError(
          "\(latentRank != 4 ? "--latent-rank" : "--output-range") is about generators; a "
            + "discriminator takes pictures in -1...1.")
      }
    }
    let storages = chosenFormat.storages
    guard storages.contains(dtype) else {
      throw ValidationError(
        "--format \(chosenFormat.rawValue) has no --dtype \(dtype.rawValue), only "
          + storages.map(\.rawValue).joined(separator: ", ")
          + (chosenFormat == .c ? ": C99 has no smaller type of real numbers." : "."))
    }
    try report.checkStandardOutput(out: output)
  }

  /// Options that are not as they are by default and mean something in ONNX only.
  private var flagsOfONNX: [String] {
    let usual = ONNXExportOptions()
    let flags: [(String, Bool)] = [
      ("--opset", opset != usual.opset), ("--ir", ir != nil), ("--keep-norm", keepNorm),
      ("--output-range", outputRange != usual.range), ("--layout", layout != usual.layout),
      ("--latent-rank", latentRank != usual.latentRank), ("--batch", batch != .dynamic),
      ("--external-data", externalData), ("--test-data", testData),
    ]
    return flags.filter(\.1).map(\.0)
  }

  var chosenFormat: FileFormat { format ?? FileFormat(ending: output) }

  fileprivate var options: ONNXExportOptions {
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
    let network: Network
    if discriminator {
      let path = try source.path()
      network = .discriminator(
        path, try CommandFailure.reading(path) { try DiscriminatorFile(path: path) })
    } else {
      let (path, file) = try source.load()
      network = .generator(path, file)
    }
    report.printNotes(network.notes, about: network.path)
    if let slope = network.slope, [.npz, .pth].contains(chosenFormat), slope != 0 {
      report.printNotes(
        ["its activations are LeakyReLU(\(slope)); a file of tensors does not say so"],
        about: network.path)
    }
    let product = try CommandFailure.about(output) { () throws in try make(network) }
    let check =
      if let data = product.beside {
        try save(product.bytes, to: output, beside: data.bytes, at: folder + data.name) {
          try holding(product.check($0, $1))
        }
      } else {
        try save(product.bytes, to: output) { try holding(product.check($0, nil)) }
      }
    if testData { try writeTestData(network) }
    let bytes = product.bytes.count + (product.beside?.bytes.count ?? 0)
    report.printSummary(
      "\(escaped(output)): \(network.summary), \(size(bytes)), \(product.summary)")
    report.printSummary(
      "read back and \(discriminator ? "scored" : "drawn") \(check.pictures) "
        + "\(discriminator ? "pictures" : "faces"): largest difference \(check.largestDifference), "
        + "bound \(ExportCheck.tolerance)")
    if dtype != .f32 {
      report.printSummary(
        "\(dtype.rawValue) costs: largest difference \(check.largestCost), root mean square "
          + "\(check.meanCost), of \(discriminator ? "scores in 0...1" : "pictures in -1...1")")
    }
    try report.printJSON(Summary(self, network, bytes: bytes, check))
  }

  /// A file before it is written.
  private struct Product {
    var bytes: [UInt8]
    var beside: (name: String, bytes: [UInt8])?
    /// What kind of file it is, in a few words.
    var summary: String
    /// Reads both back.
    var check: ([UInt8], [UInt8]?) throws -> ExportCheck
  }

  private func make(_ network: Network) throws -> Product {
    let (options, dtype, dataName) = (options, dtype, dataName)
    var metadata = network.metadata
    metadata["modelspec.hash_sha256"] = metadata["modelspec.hash_sha256"] ?? "0x" + network.id
    switch chosenFormat {
    case .onnx:
      var model = try network.onnxModel(options, metadata: metadata)
      let data = externalData ? model.moveDataOut(to: dataName) : nil
      return Product(
        bytes: try model.encoded(), beside: data.map { (dataName, $0) },
        summary: "operator set \(options.opset), IR \(options.effectiveIRVersion), "
          + "\(dtype.rawValue), normalisation \(keepNorm ? "kept" : "folded")",
        check: { bytes, data in
          try network.check(bytes, options, data: data.map { (dataName, $0) })
        })
    case .c:
      guard case .generator(_, let file) = network else { preconditionFailure("checked before") }
      let name = String(output.dropFirst(folder.count))
      let code = CSource(file.weights, name: CSource.identifier(name), data: dataName)
      let header = Array(code.header.utf8)
      return Product(
        bytes: header, beside: (dataName, code.weights), summary: "C99, weights in \(dataName)",
        check: { text, data in
          guard text == header, let data,
            let check = ExportCheck(cWeights: data, madeFrom: file.weights)
          else { throw CommandFailure(.notSo, file: output, "self-check: it reads back otherwise") }
          return check
        })
    case .safetensors, .npz, .pth:
      guard let format = TensorFormat(rawValue: chosenFormat.rawValue), let type = dtype.tensorType
      else { preconditionFailure("checked before") }
      return Product(
        bytes: format.encoded(
          network.tensors(type), metadata: network.tensorMetadata, title: network.title,
          side: network.shape.side),
        summary: "\(format.rawValue), \(dtype.rawValue)",
        check: { bytes, _ in try network.check(bytes, format, storage: dtype) })
    }
  }

  /// The output's folder, with a slash behind it, or empty.
  private var folder: String {
    output.lastIndex(of: "/").map { String(output[...$0]) } ?? ""
  }

  /// The name of the file with the weights, where they have one of their own.
  private var dataName: String {
    let name = output.dropFirst(folder.count)
    guard chosenFormat == .c else { return name + ".data" }
    return (name.hasSuffix(".h") && name.count > 2 ? name.dropLast(2) : name) + ".bin"
  }

  /// What the runtimes' own test programs compare with.
  private func writeTestData(_ network: Network) throws {
    let place = folder + "test_data_set_0"
    try makeFolder(place)
    let data = network.testData(options)
    for (name, tensor) in [("input_0.pb", data.input), ("output_0.pb", data.output)] {
      var file = try OutputFile("\(place)/\(name)")
      try file.write(tensor.encoded())
      try file.finish()
    }
  }

  /// The check's result where it holds.
  private func holding(_ check: @autoclosure () throws -> ExportCheck) throws -> ExportCheck {
    let result: ExportCheck
    do {
      result = try check()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(.notSo, file: output, "self-check: it cannot be read back: \(error)")
    }
    guard result.holds else {
      throw CommandFailure(
        .notSo, file: output,
        "self-check: \(discriminator ? "scores" : "faces drawn") from the file differ from those of "
          + "the engine by up to \(result.largestDifference), the bound is "
          + "\(ExportCheck.tolerance); nothing was written")
    }
    return result
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
  let out, format: String
  let bytes: Int
  let dtype: String
  /// What is about ONNX is there in ONNX only.
  var opset, ir: Int?
  var norm, outputRange, layout: String?
  var latentRank: Int?
  /// nil for any.
  var batch: Int?
  let model: Model
  let check: Check
  let cost: Cost?

  struct Model: Encodable {
    let kind, file, format: String
    /// SHA-256 of the weights.
    let id: String
    /// nil for a discriminator.
    let latent: Int?
    let width, side, channels: Int
  }

  struct Check: Encodable {
    let faces: Int
    let largestDifference, bound: Float
  }

  /// What rounding the weights changed, in pictures of −1…1 or scores of 0…1.
  struct Cost: Encodable {
    let largestDifference, rootMeanSquare: Float
  }

  init(_ write: Write, _ network: Network, bytes: Int, _ check: ExportCheck) {
    out = write.output
    format = write.chosenFormat.rawValue
    self.bytes = bytes
    dtype = write.dtype.rawValue
    if write.chosenFormat == .onnx {
      opset = write.opset
      ir = write.options.effectiveIRVersion
      norm = write.keepNorm ? "kept" : "folded"
      layout = write.layout.rawValue
      if case .fixed(let count) = write.batch { batch = count }
      if !write.discriminator {
        outputRange = write.outputRange.rawValue
        latentRank = write.latentRank
      }
    }
    let shape = network.shape
    let isGenerator = !write.discriminator
    model = Model(
      kind: isGenerator ? "generator" : "discriminator", file: network.path,
      format: network.format.rawValue, id: network.id, latent: isGenerator ? shape.latent : nil,
      width: isGenerator ? shape.generatorWidth : shape.discriminatorWidth, side: shape.side,
      channels: shape.channels)
    self.check = Check(
      faces: check.pictures, largestDifference: check.largestDifference,
      bound: ExportCheck.tolerance)
    cost =
      write.dtype == .f32
      ? nil : Cost(largestDifference: check.largestCost, rootMeanSquare: check.meanCost)
  }
}
