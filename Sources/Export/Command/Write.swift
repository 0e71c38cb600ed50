import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// Writes a generator or a discriminator for other programs.
struct Write: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a generator as one self-contained ONNX file, or in another format.",
    discussion: """
      The graph takes `latent`, [batch, nz, 1, 1] of standard normal numbers, and returns `image`, \
      [batch, channels, side, side] in -1...1, for any batch size. The same generator and options \
      give the same bytes.

      Before the file gets its name, it is read back and run by a separate plain engine, and its \
      faces are compared with those of bollygan-infer's engine. If they differ by more than 2e-5, \
      the command exits with status 1 and keeps any existing file.

      EXAMPLES

        The bundled generator:
          bollygan-export model.onnx

        Half the size: weights in float16, arithmetic still in float32:
          bollygan-export --dtype f16 model.onnx

        Bytes for a screen, rows of RGB pixels, from a plain vector:
          bollygan-export --latent-rank 2 --output-range u8 --layout nhwc web.onnx

        For PyTorch (torch.load(file, weights_only=True) and load_state_dict) and numpy.load:
          bollygan-export generator.pth
          bollygan-export generator.npz

        C99 without any library: faces.h, and its weights in faces.bin:
          bollygan-export faces.h
          cc -std=c99 -O3 -DFACES_MAIN -x c faces.h -o draw && ./draw faces.bin 42 > face.pnm

        A page to play with, which needs no server and no network:
          bollygan-export explore.html

        The discriminator of a training run, images in, scores out:
          bollygan-export --discriminator --model runs/x/discriminator.safetensors judge.onnx

        16 faces in Python, with onnxruntime:
          import numpy, onnxruntime
          session = onnxruntime.InferenceSession("model.onnx")
          latent = numpy.random.randn(16, 64, 1, 1).astype("float32")
          image = session.run(["image"], {"latent": latent})[0]

        The same faces as bollygan-infer --seed 42 --count 16 --save-latents z.npy:
          latent = numpy.load("z.npy").reshape(16, 64, 1, 1)
      """)

  @Argument(
    help: ArgumentHelp("File to write, or - for standard output.", valueName: "model.onnx"))
  var output: String

  @OptionGroup var source: SourceOptions

  @Option(
    help: ArgumentHelp(
      "Format: onnx, c, html (a page to explore the generator), or tensors for programs that have "
        + "the network's code (safetensors, npz, pth). (default: by the file's extension, .h for c; "
        + "otherwise onnx)",
      valueName: "format"))
  var format: FileFormat?

  @Flag(
    help: "Write --model's discriminator: image in, score out, from 0 (generated) to 1 (real).")
  var discriminator = false

  @Option(
    help: ArgumentHelp(
      "Version of the operator set, 11 to 28; 17 is from ONNX 1.12 (2022).", valueName: "n"))
  var opset = ONNXExportOptions().opset

  @Option(
    help: ArgumentHelp(
      "Version of the container, 4 to 14. (default: the one released with the operator set)",
      valueName: "n"))
  var ir: Int?

  @Flag(help: "Keep batch normalisation as nodes instead of folding it into the kernels.")
  var keepNorm = false

  @Option(
    help: ArgumentHelp(
      "How kernels are stored; the arithmetic is float32. int8 has one factor per output channel. "
        + "(default: f32; f16 for html)",
      valueName: "type"))
  var dtype: ONNXExportOptions.Storage?

  @Option(
    help: ArgumentHelp(
      "Range of the image: pm1 is -1...1, 01 is 0...1, u8 is bytes.",
      valueName: "range"))
  var outputRange = ONNXExportOptions.OutputRange.signed

  @Option(help: ArgumentHelp("Order of the image's axes.", valueName: "layout"))
  var layout = ONNXExportOptions.Layout.nchw

  @Option(
    help: ArgumentHelp(
      "Axes of the latent: 4 for [batch, nz, 1, 1], 2 for [batch, nz].", valueName: "n"))
  var latentRank = 4

  @Option(
    help: ArgumentHelp("Faces per call, or dynamic for any number.", valueName: "n"))
  var batch = BatchSize.dynamic

  @Flag(help: "Put the weights into a second file next to the model, FILE.data.")
  var externalData = false

  @Flag(
    help: ArgumentHelp(
      "Also write latents and the faces that they should give into test_data_set_0 next to the "
        + "model, for the runtimes' own test programs."))
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
      throw ValidationError("\(what) needs a file, not -.")
    }
    if chosenFormat != .onnx, let option = optionsOfONNX.first {
      throw ValidationError("\(option) is for ONNX, not for --format \(chosenFormat.rawValue).")
    }
    if discriminator {
      guard chosenFormat != .c, chosenFormat != .html else {
        throw ValidationError(
          "--format \(chosenFormat.rawValue) writes generators only, no discriminators.")
      }
      guard source.isGiven else {
        throw ValidationError(
          "--discriminator needs --model, because no discriminator is bundled. Each training run "
            + "keeps its own, discriminator.safetensors.")
      }
      if latentRank != 4 || outputRange != .signed {
        throw ValidationError(
          "\(latentRank != 4 ? "--latent-rank" : "--output-range") is for generators; a "
            + "discriminator takes images in -1...1.")
      }
    }
    let storages = chosenFormat.storages
    guard storages.contains(storage) else {
      throw ValidationError(
        "--format \(chosenFormat.rawValue) has no --dtype \(storage.rawValue), only "
          + storages.map(\.rawValue).joined(separator: ", ")
          + (chosenFormat == .c ? ": C99 has no smaller floating-point type." : "."))
    }
    try report.checkStandardOutput(out: output)
  }

  /// Names of the options that differ from their defaults and only matter for ONNX.
  private var optionsOfONNX: [String] {
    let usual = ONNXExportOptions()
    let options: [(String, Bool)] = [
      ("--opset", opset != usual.opset), ("--ir", ir != nil), ("--keep-norm", keepNorm),
      ("--output-range", outputRange != usual.range), ("--layout", layout != usual.layout),
      ("--latent-rank", latentRank != usual.latentRank), ("--batch", batch != .dynamic),
      ("--external-data", externalData), ("--test-data", testData),
    ]
    return options.filter(\.1).map(\.0)
  }

  /// The format that is given or that the file's extension implies.
  var chosenFormat: FileFormat { format ?? FileFormat(ending: output) }

  /// How kernels are stored.
  var storage: ONNXExportOptions.Storage { dtype ?? chosenFormat.usualStorage }

  /// The options of an ONNX file.
  var options: ONNXExportOptions {
    var options = ONNXExportOptions()
    options.opset = opset
    options.irVersion = ir
    options.keepsNorm = keepNorm
    options.storage = storage
    options.range = outputRange
    options.layout = layout
    options.latentRank = latentRank
    if case .fixed(let count) = batch { options.batch = count }
    return options
  }

  func run() async throws {
    let path = try source.path()
    if discriminator {
      try write(load(DiscriminatorWeights.self, from: path), from: path)
    } else {
      try write(load(GeneratorWeights.self, from: path), from: path)
    }
  }

  private func write<N: RunnableNetwork>(_ file: NetworkFile<N>, from path: String) throws {
    report.printNotes(file.notes, about: path)
    let slope = file.weights.slope
    if N.kind == .generator, slope != 0, [.npz, .pth].contains(chosenFormat) {
      report.printNotes(
        ["its activations are LeakyReLU(\(slope)), which the written file cannot record"],
        about: path)
    }
    let product = try CommandFailure.about(output) { () throws in try encode(file, from: path) }
    let check = try save(product)
    if testData { try writeTestData(file.weights) }
    let bytes = product.bytes.count + (product.data?.bytes.count ?? 0)
    report.printSummary(
      "\(escaped(output)): \(N.kind.summary(file.weights.shape)), \(size(bytes)), "
        + product.summary)
    report.printSummary(
      "self-check: \(check.samples) \(N.kind == .generator ? "faces" : "scores") from the file, "
        + "largest difference \(check.largestDifference), bound \(ExportCheck.tolerance)")
    if storage != .f32 {
      report.printSummary(
        "cost of \(storage.rawValue): largest difference \(check.largestCost), root mean square "
          + "\(check.meanCost), of "
          + (N.kind == .generator ? "images in -1...1" : "scores in 0...1"))
    }
    try report.printJSON(WriteSummary(self, file, path: path, bytes: bytes, check))
  }
}
