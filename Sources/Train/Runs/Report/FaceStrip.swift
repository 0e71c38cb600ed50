import BollyGANModel
import BollyGANPictures
import BollyGANTraining

/// A filmstrip: the faces of the same latents over the epochs of a run, one row for each latent.
package struct FaceStrip {
  /// Latents, and so rows.
  package static let rows = 8

  /// The picture; it says which epochs its columns show.
  package let picture: Picture
  package let epochs: [Int]

  /// Cuts a strip out of the sheets of samples in a run's folder.
  ///
  /// - Parameters:
  ///   - path: The run's folder.
  ///   - side: Height and width of a face in pixels.
  ///   - columns: Epochs to show, at most; evenly over those that have a sheet, the first and the
  ///     last among them.
  /// - Throws: ``StripError`` where there is nothing to show.
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

/// Why there is no filmstrip of a run.
package enum StripError: Error, Equatable, CustomStringConvertible {
  case noSamples(String)
  case otherSize(String)

  package var description: String {
    switch self {
    case .noSamples(let path): "\(path): there are no sheets of samples here"
    case .otherSize(let name): "\(name) is no sheet of this run's faces"
    }
  }
}

extension Picture {
  /// The first cells of a grid with frames of 2 pixels; nil where it has not so many.
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
