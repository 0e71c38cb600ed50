import BollyGANModel
import ArgumentParser
import BollyGANTerminal

/// The form in which faces are written, and where.
enum Destination: Equatable {
  /// A single PNG of all faces.
  case grid(path: String)
  /// A folder with a PNG for each face; `path` ends with a slash.
  case folder(path: String)
  /// An animated WebP.
  case animation(path: String)
  /// The network's output, float32 `[N, C, side, side]`, in an NPY file.
  case array(path: String)
  /// Raw RGB frames, one after another, without a header.
  case frames(path: String)

  /// The values of `--format`.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case png, webp, npy, rgb

    // Not every subcommand accepts all of them; the help of each lists its own.
    static let allValueStrings: [String] = []
  }

  /// Interprets `--out` and `--format`.
  ///
  /// - Parameters:
  ///   - out: `-` for standard output, a file whose extension names the format, or a folder.
  ///   - format: Takes precedence over the extension.
  ///   - streamed: The format for standard output if `format` is nil.
  /// - Throws: `ValidationError` if the two contradict each other or name no format.
  init(out: String, format: Format?, streamed: Format) throws {
    guard !out.isEmpty else { throw ValidationError("--out needs a file or folder name.") }
    let isFolder = out.hasSuffix("/") || Folder.exists(out)
    let ending = Format.allCases.first { out.lowercased().hasSuffix(".\($0.rawValue)") }
    switch format ?? (out == "-" ? streamed : ending) {
    case .png? where isFolder, nil where isFolder:
      self = .folder(path: out.hasSuffix("/") ? out : out + "/")
    case let format? where isFolder:
      throw ValidationError(
        "--out \(escaped(out)) is a folder, and folders hold PNG files. "
          + "--format \(format.rawValue) needs a file name, or - for standard output.")
    case .png?: self = .grid(path: out)
    case .webp?: self = .animation(path: out)
    case .npy?: self = .array(path: out)
    case .rgb?: self = .frames(path: out)
    case nil:
      let endings = Format.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw ValidationError(
        "--out \(escaped(out)) does not name a format. Use one of \(endings), a folder name that "
          + "ends with /, or --format.")
    }
  }

  /// The file or folder; `-` for standard output.
  var path: String {
    switch self {
    case .grid(let path), .folder(let path), .animation(let path), .array(let path),
      .frames(let path):
      path
    }
  }

  /// The most faces that can be written: fewer if all stay in memory or each becomes a file.
  var faceLimit: Int {
    switch self {
    case .grid, .folder, .animation: 100_000
    case .array, .frames: 100_000_000
    }
  }
}

/// The columns and rows of a grid, written as `8x4`.
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

  /// The grid for `count` faces that is closest to a square: 8x8 for 64.
  init(count: Int) {
    var columns = max(1, Int(Double(count).squareRoot()))
    while columns * columns < count { columns += 1 }
    self.init(columns: columns, rows: (count + columns - 1) / columns)
  }

  /// The number of faces that fit in the grid.
  var cells: Int { columns * rows }
}
