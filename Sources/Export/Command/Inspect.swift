import ArgumentParser
import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// Prints the contents of a file of weights.
struct Inspect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the contents of a .safetensors, .onnx or .pth file.",
    discussion: """
      Prints the network in the file, its metadata, and for each tensor its type, shape, size, \
      smallest value, mean and largest value. Infinities and NaN are counted, not refused.

      EXAMPLES

        bollygan-export inspect model.onnx
        bollygan-export inspect --json generator.safetensors
      """)

  @Argument(help: ArgumentHelp("File to read, or - for standard input.", valueName: "file"))
  var input: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let contents = try CommandFailure.reading(input) { try FileContents(path: input) }
    let summary = Summary(input, contents)
    if json {
      try writeJSON(summary)
    } else {
      try StandardOutput.write(summary.text)
    }
  }
}

/// A file's contents, as text and as JSON.
private struct Summary: Encodable {
  let schema = 1
  let file, format: String
  let bytes: Int
  let network: Network?
  let problem: String?
  let notes: [String]
  let metadata: [String: String]
  let graph: FileContents.Graph?
  let tensors: [TensorSummary]

  struct Network: Encodable {
    let kind: String
    /// nil for a discriminator.
    let latent: Int?
    let width, side, channels: Int
    /// SHA-256 of the tensors, by which images name their model.
    let id: String

    init(_ network: some BollyGANModel.Network, id: String) {
      let (kind, shape) = (type(of: network).kind, network.shape)
      self.kind = kind.rawValue
      latent = kind.latent(shape)
      width = kind.width(shape)
      (side, channels) = (shape.side, shape.channels)
      self.id = id
    }
  }

  struct TensorSummary: Encodable {
    let name, type: String
    let shape: [Int]
    let bytes: Int
    let statistics: TensorStatistics?
  }

  init(_ path: String, _ contents: FileContents) {
    file = path
    format = contents.format.rawValue
    bytes = contents.byteCount
    network = contents.network.map { Network($0, id: contents.id!) }
    problem = contents.problem
    notes = contents.notes
    metadata = contents.metadata
    graph = contents.graph
    tensors = contents.tensors.map { name, tensor in
      TensorSummary(
        name: name, type: tensor.type.rawValue, shape: tensor.shape, bytes: tensor.bytes.count,
        statistics: TensorStatistics(tensor))
    }
  }

  var text: String {
    var lines = ["\(escaped(file)): \(format), \(size(bytes))"]
    if let network {
      lines.append(
        "\(network.kind), \(network.side)x\(network.side) \(network.channels == 1 ? "gray" : "RGB")"
          + (network.latent.map { ", latent \($0)" } ?? "") + ", width \(network.width)")
      lines.append("id \(network.id)")
    } else if let problem {
      lines.append("not a generator: \(escaped(problem, limit: 1000))")
    }
    lines += notes.map { "note: \(escaped($0, limit: 1000))" }
    if let graph {
      lines.append(
        "graph \(escaped(graph.name)), operator set \(graph.opset.map { "\($0)" } ?? "?"), IR "
          + "\(graph.ir), written by \(escaped(graph.producer))")
      lines += graph.inputs.map { "  input \(escaped($0))" }
      lines += graph.outputs.map { "  output \(escaped($0))" }
      lines.append(
        "  "
          + graph.operators.sorted { $0.key < $1.key }.map { "\($0.value) \(escaped($0.key))" }
          .joined(separator: ", "))
    }
    if !metadata.isEmpty {
      lines.append("metadata")
      lines += metadata.sorted { $0.key < $1.key }.map {
        "  \(escaped($0.key)) = \(escaped($0.value))"
      }
    }
    if !tensors.isEmpty {
      lines += tableLines(
        [["tensor", "type", "shape", "bytes", "min", "mean", "max", "non-finite"]]
          + tensors.map(\.columns), left: 2)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Summary.TensorSummary {
  var columns: [String] {
    func number(_ value: Double?) -> String {
      guard let value else { return "-" }
      return String(Float(value))
    }
    return [
      escaped(name), type, "[\(shape.map { "\($0)" }.joined(separator: ", "))]", "\(bytes)",
      number(statistics?.min), number(statistics?.mean), number(statistics?.max),
      statistics.map { "\($0.nonFinite)" } ?? "-",
    ]
  }
}
