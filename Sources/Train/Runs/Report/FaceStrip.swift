import BollyGANModel
import BollyGANPictures

/// A filmstrip: the faces of fixed latents over the epochs of a run, one row per latent.
package struct FaceStrip {
  /// Number of latents, and so of rows.
  package static let rows = 8

  /// A grid with one row per latent and one column per epoch.
  package let picture: Picture
  /// The epoch of each column.
  package let epochs: [Int]

  /// Cuts the strip out of the sample sheets in a run folder.
  ///
  /// - Parameters:
  ///   - path: The run folder.
  ///   - side: Height and width of a face in pixels.
  ///   - columns: Largest number of epochs. They are spread evenly over the epochs with a sheet and
  ///     include the first and the last.
  /// - Throws: ``StripError`` if there is nothing to show, `FileError` if a sheet cannot be read.
  package init(folder path: String, side: Int, columns: Int) throws {
    precondition(columns > 0, "a strip of \(columns) columns")
    let all = try RunFolder.sampleEpochs(in: path)
    guard !all.isEmpty else { throw StripError.noSamples(path) }
    let count = min(columns, all.count)
    epochs = (0..<count).map { column in
      count == 1 ? all[all.count - 1] : all[column * (all.count - 1) / (count - 1)]
    }
    let faces = try epochs.map { epoch in
      let sheet = try RunFolder.sample(epoch: epoch, in: path)
      guard let faces = sheet.cells(side: side, count: Self.rows) else {
        throw StripError.otherSize(RunFolder.sampleName(epoch: epoch))
      }
      return faces
    }
    picture = grid((0..<Self.rows).flatMap { row in faces.map { $0[row] } }, columns: count)
  }
}

/// Why a run has no filmstrip.
package enum StripError: Error, Equatable, CustomStringConvertible {
  case noSamples(String)
  case otherSize(String)

  package var description: String {
    switch self {
    case .noSamples(let path): "\(path): no sample sheets"
    case .otherSize(let name): "\(name): not a sample sheet of this run (unexpected size)"
    }
  }
}

extension Picture {
  /// The first cells of a grid with 2-pixel borders; nil if it has fewer cells.
  func cells(side: Int, count: Int) -> [Picture]? {
    let pitch = side + 2
    let columns = (width - 2) / pitch
    guard columns > 0, (width - 2) % pitch == 0, (height - 2) % pitch == 0,
      columns * ((height - 2) / pitch) >= count
    else { return nil }
    return (0..<count).map { index in
      let (top, left) = (index / columns * pitch + 2, index % columns * pitch + 2)
      let rows = (top..<top + side).map { y in
        let start = (y * width + left) * channels
        return pixels[start..<start + side * channels]
      }
      return Picture(
        width: side, height: side, channels: channels, pixels: [UInt8](rows.joined()))
    }
  }
}
