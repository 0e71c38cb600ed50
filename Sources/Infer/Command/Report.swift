import BollyGANModel
import BollyGANTerminal

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What was drawn, as `--json` prints it.
struct Report: Encodable {
  /// Increases when a field changes its meaning or is removed.
  private let schema = 1
  private let command: String
  private let model: Model
  private let latents: Latents
  private let out: String
  private let format: String
  private let faces: Int
  private let width: Int
  private let height: Int
  private let channels: Int
  private let grid: Grid?
  private let files: [FaceFile]?
  private let kernels: String
  private let threads: Int
  private let seconds: Stopwatch.Seconds

  private struct Model: Encodable {
    let file: String
    /// The SHA-256 of the weights in hexadecimal.
    let id: String
  }

  private struct Latents: Encodable {
    let random: String?
    let seed: Int64?
    let seeds: [UInt32]?
    let file: String?
    let truncation: Float
  }

  private struct Grid: Encodable { let columns, rows: Int }

  /// The report of a finished job.

  init(
    _ command: String, _ job: borrowing DrawingJob, _ destination: Destination, grid: GridSize,
    files: [FaceFile], _ stopwatch: Stopwatch
  ) {
    self.command = command
    let shape = job.artist.shape
    model = Model(file: job.model.path, id: job.model.id)
    latents = Self.describe(job.latents.origin, truncation: job.latents.truncation)
    out = destination.path
    var cells: Grid?
    var folder: [FaceFile]?
    switch destination {
    case .grid:
      format = "png"
      cells = Grid(columns: grid.columns, rows: grid.rows)
    case .folder:
      format = "png"
      folder = files
    case .animation: format = "webp"
    case .array: format = "npy"
    case .frames: format = "rgb"
    }
    (self.grid, self.files) = (cells, folder)
    faces = job.latents.count
    (width, height, channels) = (shape.side, shape.side, shape.channels)
    kernels = job.artist.generator.instructionSet.rawValue
    threads = job.artist.generator.threads
    seconds = stopwatch.seconds(job.seconds)
  }

  private static func describe(_ origin: LatentSource.Origin, truncation: Float) -> Latents {
    switch origin {
    case .torch(let seed):
      Latents(random: "torch", seed: seed, seeds: nil, file: nil, truncation: truncation)
    case .numpy(let seeds):
      Latents(random: "numpy", seed: nil, seeds: seeds, file: nil, truncation: truncation)
    case .file(let name, _):
      Latents(random: nil, seed: nil, seeds: nil, file: name, truncation: truncation)
    case .walk(let ends, _, _, _, _): describe(ends, truncation: truncation)
    }
  }
}

/// Writes an object as one line of JSON on standard output.
func printJSON(_ report: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  try StandardOutput.writeLine(String(decoding: encoder.encode(report), as: UTF8.self))
}

/// Measures the times of a ``Report``.
struct Stopwatch {
  struct Seconds: Encodable {
    /// Processor time from the start of the process to the start of the command.
    let start: Double
    /// Reading the model.
    let read: Double
    /// Folding and packing its weights.
    let pack: Double
    /// Reading and packing together.
    let load: Double
    /// Drawing: latents, network and files.
    let draw: Double
    /// The part of drawing that is spent in the network.
    let network: Double
    /// Processor time of the PNG encoder, which runs while the network draws.
    let encoder: Double
  }

  private let processor = ProcessorTime.ofProcess
  private let start = ContinuousClock.now
  private var readEnd = ContinuousClock.now
  private var middle = ContinuousClock.now

  /// Notes that the model has been read.
  mutating func read() { readEnd = .now }

  /// Notes that the model is ready to draw.
  mutating func loaded() { middle = .now }

  /// The times up to now.
  ///
  /// - Parameter job: Seconds in the network and in the encoder.
  func seconds(_ job: (network: Double, encoder: Double)) -> Seconds {
    func span(_ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant) -> Double {
      (to - from) / .seconds(1)
    }
    return Seconds(
      start: processor.start, read: span(start, readEnd), pack: span(readEnd, middle),
      load: span(start, middle), draw: span(middle, .now), network: job.network,
      encoder: job.encoder)
  }
}
