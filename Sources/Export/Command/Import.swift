import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// Converts a generator from another program's file to safetensors.
struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a generator from ONNX, PyTorch or safetensors to a safetensors file.",
    discussion: """
      A DCGAN's generator is read regardless of its tensors' names:

        .onnx         ConvTranspose with BatchNormalization (kept, folded, or spelled out) or a \
      bias, Relu or LeakyRelu, and tanh or sigmoid at the end, as PyTorch's exporters and \
      simplifiers write it, with external data
        .pth          a state_dict of torch.save, alone or in a checkpoint; no code in it is run
        .safetensors  tensors of any names, matched by shape

      If something is not supported, the message names the node or tensor, the reason, and what \
      would be accepted.

      Tensors alone do not show whether a network uses ReLU or LeakyReLU; ReLU is assumed.

      EXAMPLES

        bollygan-export import netG_epoch_24.pth faces.safetensors
        bollygan-infer --model faces.safetensors

        A generator with nn.LeakyReLU(0.2) between its layers:
          bollygan-export import --negative-slope 0.2 G.pth faces.safetensors
      """)

  @Argument(help: ArgumentHelp("File to read, or - for standard input.", valueName: "file"))
  var input: String

  @Argument(
    help: ArgumentHelp("File to write, or - for standard output.", valueName: "out.safetensors"))
  var output: String

  @Option(
    help: ArgumentHelp("How kernels are stored: f32, f16 or bf16.", valueName: "type"))
  var dtype = Precision.f32

  @Option(
    help: ArgumentHelp(
      "Slope of LeakyReLU between the layers, 0 to 1, for a file without one. (default: "
        + "from the file, or 0, which is ReLU)", valueName: "x"))
  var negativeSlope: Float?

  @OptionGroup var report: ReportOptions

  enum Precision: String, CaseIterable, ExpressibleByArgument {
    case f32, f16, bf16

    var type: TensorType {
      switch self {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    }
  }

  func validate() throws {
    guard !output.isEmpty else { throw ValidationError("The name of the file to write is empty.") }
    if let negativeSlope, !(0...1).contains(negativeSlope) {
      throw ValidationError("--negative-slope \(negativeSlope) is not from 0 to 1.")
    }
    try report.checkStandardOutput(out: output)
  }

  func run() async throws {
    let file = try load(GeneratorWeights.self, from: input)
    report.printNotes(file.notes, about: input)
    var weights = file.weights
    if let negativeSlope {
      guard file.format != .onnx else {
        throw ValidationError(
          "--negative-slope is for files of tensors; an ONNX file states its activations.")
      }
      weights.slope = negativeSlope
    }
    let kept = file.weightsMetadata
    var written = weights.file(metadata: kept, type: dtype.type)
    written.metadata["bollygan.converted_from"] = file.format.rawValue
    written.addModelSpec(
      title: kept["modelspec.title"] ?? "DCGAN generator", date: kept["modelspec.date"],
      side: file.weights.shape.side)
    let bytes = written.encoded()
    try saveChecked(bytes, to: output) { bytes in
      do {
        let again = try SafetensorsFile(bytes: bytes)
        guard again == written,
          try GeneratorWeights.load(again).weights.shape == weights.shape
        else {
          throw CommandFailure(.checkFailed, file: output, "self-check: it reads back differently")
        }
      } catch let error as WeightsError {
        throw CommandFailure(
          .checkFailed, file: output, "self-check: it cannot be read back: \(error)")
      }
    }
    report.printSummary(
      "\(escaped(output)): \(NetworkKind.generator.summary(file.weights.shape)), "
        + "\(size(bytes.count)), from \(file.format.rawValue)")
    try report.printJSON(Summary(self, file, id: written.tensorHash, bytes: bytes.count))
  }

  private struct Summary: Encodable {
    let schema = 1
    let command = "import"
    let file, format, out, id, dtype: String
    let bytes, latent, width, side, channels: Int
    let notes: [String]

    init(_ command: Import, _ source: GeneratorFile, id: String, bytes: Int) {
      file = command.input
      format = source.format.rawValue
      out = command.output
      self.id = id
      dtype = command.dtype.rawValue
      self.bytes = bytes
      let shape = source.weights.shape
      (latent, width, side, channels) = (
        shape.latent, shape.generatorWidth, shape.side, shape.channels
      )
      notes = source.notes
    }
  }
}
