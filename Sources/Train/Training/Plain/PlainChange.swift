/// DiffAugment step by step, as Zhao et al. define it, and the way back through each step.
///
/// Pictures are planar, `[count, channels, side, side]`.
package struct PlainChange: Sendable {
  package let changes: [PictureChange]
  package let channels: Int
  package let side: Int

  package init(_ changes: [PictureChange], channels: Int, side: Int) {
    self.changes = changes
    self.channels = channels
    self.side = side
  }

  private var plane: Int { side * side }
  private var size: Int { channels * plane }

  /// The changed pictures.
  ///
  /// - Precondition: there is a change for each picture.
  package func forward<Scalar: BinaryFloatingPoint>(_ pictures: [Scalar]) -> [Scalar] {
    each(pictures) { picture, change in
      for index in picture.indices { picture[index] += Scalar(change.brightness) }
      spread(&picture, around: pixelMeans, by: Scalar(change.saturation))
      spread(&picture, around: pictureMean, by: Scalar(change.contrast))
      picture = moved(picture, change.rowShift, change.columnShift)
      cut(&picture, change)
    }
  }

  /// The gradient to the pictures from that to the changed ones: each step's adjoint, from the last
  /// to the first. Spreading around a mean is symmetric, so it is its own adjoint.
  package func backward<Scalar: BinaryFloatingPoint>(_ gradient: [Scalar]) -> [Scalar] {
    each(gradient) { gradient, change in
      cut(&gradient, change)
      gradient = moved(gradient, -change.rowShift, -change.columnShift)
      spread(&gradient, around: pictureMean, by: Scalar(change.contrast))
      spread(&gradient, around: pixelMeans, by: Scalar(change.saturation))
    }
  }

  private func each<Scalar: BinaryFloatingPoint>(
    _ pictures: [Scalar], _ body: (inout [Scalar], PictureChange) -> Void
  ) -> [Scalar] {
    precondition(pictures.count == changes.count * size, "a change for each picture")
    var result: [Scalar] = []
    result.reserveCapacity(pictures.count)
    for (number, change) in changes.enumerated() {
      var picture = Array(pictures[number * size..<(number + 1) * size])
      body(&picture, change)
      result += picture
    }
    return result
  }

  /// `x = (x − mean) · factor + mean`
  private func spread<Scalar: BinaryFloatingPoint>(
    _ picture: inout [Scalar], around means: ([Scalar]) -> [Scalar], by factor: Scalar
  ) {
    let means = means(picture)
    for index in picture.indices {
      let mean = means[index % plane]
      picture[index] = (picture[index] - mean) * factor + mean
    }
  }

  /// The mean of each pixel's channels.
  private func pixelMeans<Scalar: BinaryFloatingPoint>(_ picture: [Scalar]) -> [Scalar] {
    (0..<plane).map { place in
      var sum: Scalar = 0
      for channel in 0..<channels { sum += picture[channel * plane + place] }
      return sum / Scalar(channels)
    }
  }

  /// The mean of the whole picture, for each pixel. The sum is a double for either scalar.
  private func pictureMean<Scalar: BinaryFloatingPoint>(_ picture: [Scalar]) -> [Scalar] {
    let sum = picture.reduce(0) { $0 + Double($1) }
    return [Scalar](repeating: Scalar(sum / Double(size)), count: plane)
  }

  private func moved<Scalar: BinaryFloatingPoint>(
    _ picture: [Scalar], _ rows: Int, _ columns: Int
  ) -> [Scalar] {
    var result = [Scalar](repeating: 0, count: size)
    for channel in 0..<channels {
      for row in 0..<side where (0..<side).contains(row + rows) {
        for column in 0..<side where (0..<side).contains(column + columns) {
          result[(channel * side + row) * side + column] =
            picture[(channel * side + row + rows) * side + column + columns]
        }
      }
    }
    return result
  }

  private func cut<Scalar: BinaryFloatingPoint>(
    _ picture: inout [Scalar], _ change: PictureChange
  ) {
    for channel in 0..<channels {
      for row in PictureChange.cutRange(middle: change.cutRow, side: side) {
        for column in PictureChange.cutRange(middle: change.cutColumn, side: side) {
          picture[(channel * side + row) * side + column] = 0
        }
      }
    }
  }
}
