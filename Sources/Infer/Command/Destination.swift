import ArgumentParser
import BollyGANTerminal

/// What is made of the faces, and where it goes.
enum Destination: Equatable {
  /// One PNG of them all.
  case grid(path: String)
  /// A folder with a PNG of each; `path` ends with a slash.
  case folder(path: String)
  /// An animated WebP.
  case animation(path: String)
  /// Their numbers as float32 `[N, C, side, side]` in an NPY file.
  case array(path: String)
  /// Their pixels, one RGB frame after another without any header.
  case frames(path: String)

  /// What `--format` can ask for.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case png, webp, npy, rgb

    // Not all of them go with every subcommand; the options say which do.
    static let allValueStrings: [String] = []
  }

  /// - Parameters:
  ///   - out: `-` for standard output, a name whose ending says what is wanted, or a folder.
  ///   - format: Goes before the name's ending.
  ///   - streamed: What standard output is given where no format is asked for.
  init(out: String, format: Format?, streamed: Format) throws {
    guard !out.isEmpty else { throw ValidationError("--out is empty.") }
    let isFolder = out.hasSuffix("/") || BollyGANTerminal.isFolder(out)
    let ending = Format.allCases.first { out.lowercased().hasSuffix(".\($0.rawValue)") }
    switch format ?? (out == "-" ? streamed : ending) {
    case .png? where isFolder, nil where isFolder:
      self = .folder(path: out.hasSuffix("/") ? out : out + "/")
    case let format? where isFolder:
      throw ValidationError(
        "--out \(escaped(out)) is a folder, which is for PNG files; --format \(format.rawValue) "
          + "needs a file, or - for standard output.")
    case .png?: self = .grid(path: out)
    case .webp?: self = .animation(path: out)
    case .npy?: self = .array(path: out)
    case .rgb?: self = .frames(path: out)
    case nil:
      let endings = Format.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw ValidationError(
        "--out \(escaped(out)) does not say what to write: end it with one of \(endings), or with "
          + "/ for a folder, or name a --format.")
    }
  }

  var path: String {
    switch self {
    case .grid(let path), .folder(let path), .animation(let path), .array(let path),
      .frames(let path):
      path
    }
  }

  /// The most faces that can go there: what is held in memory or becomes a file each has an end,
  /// a stream has none that matters.
  var faceLimit: Int {
    switch self {
    case .grid, .folder, .animation: 100_000
    case .array, .frames: 100_000_000
    }
  }
}

/// A grid's columns and rows, as `8x4`.
struct GridSize: Equatable, ExpressibleByArgument {
  let columns, rows: Int

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
  }

  init?(argument: String) {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let columns = Int(parts[0]), let rows = Int(parts[1]),
      (1...10_000).contains(columns), (1...10_000).contains(rows)
    else { return nil }
    self.init(columns: columns, rows: rows)
  }

  /// The nearest to a square: 8x8 for 64.
  init(count: Int) {
    var columns = max(1, Int(Double(count).squareRoot()))
    while columns * columns < count { columns += 1 }
    self.init(columns: columns, rows: (count + columns - 1) / columns)
  }

  var cells: Int { columns * rows }
}
