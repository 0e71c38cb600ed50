/// DiffAugment step by step as Zhao et al. define it, and each step's gradient.
///
/// Images are planar, `[count, channels, side, side]`.
///
/// - SeeAlso: Zhao et al. 2020 (arXiv:2006.10738).
package struct PlainDiffAugment: Sendable {
  /// One change for each image.
  package let changes: [PictureChange]
  package let channels: Int
  package let side: Int

  /// Augmentation of a batch of images of the given size.
  package init(_ changes: [PictureChange], channels: Int, side: Int) {
    self.changes = changes
    self.channels = channels
    self.side = side
  }

  private var plane: Int { side * side }
  private var size: Int { channels * plane }

  /// The augmented images.
  ///
  /// - Precondition: there is one change for each image.
  package func forward<Scalar: BinaryFloatingPoint>(_ images: [Scalar]) -> [Scalar] {
    each(images) { image, change in
      for index in image.indices { image[index] += Scalar(change.brightness) }
      scale(&image, around: pixelMeans, by: Scalar(change.saturation))
      scale(&image, around: imageMean, by: Scalar(change.contrast))
      image = shifted(image, change.rowShift, change.columnShift)
      cut(&image, change)
    }
  }

  /// The gradient with respect to the images, from the gradient with respect to the augmented ones:
  /// each step's adjoint, from the last step to the first. Scaling around a mean is symmetric, so
  /// it is its own adjoint.
  package func backward<Scalar: BinaryFloatingPoint>(_ gradient: [Scalar]) -> [Scalar] {
    each(gradient) { gradient, change in
      cut(&gradient, change)
      gradient = shifted(gradient, -change.rowShift, -change.columnShift)
      scale(&gradient, around: imageMean, by: Scalar(change.contrast))
      scale(&gradient, around: pixelMeans, by: Scalar(change.saturation))
    }
  }

  private func each<Scalar: BinaryFloatingPoint>(
    _ images: [Scalar], _ body: (inout [Scalar], PictureChange) -> Void
  ) -> [Scalar] {
    precondition(
      images.count == changes.count * size, "\(images.count) values are not \(changes.count) images"
    )
    var result: [Scalar] = []
    result.reserveCapacity(images.count)
    for (number, change) in changes.enumerated() {
      var image = Array(images[number * size..<(number + 1) * size])
      body(&image, change)
      result += image
    }
    return result
  }

  /// `x = (x − mean) · factor + mean`
  private func scale<Scalar: BinaryFloatingPoint>(
    _ image: inout [Scalar], around means: ([Scalar]) -> [Scalar], by factor: Scalar
  ) {
    let means = means(image)
    for index in image.indices {
      let mean = means[index % plane]
      image[index] = (image[index] - mean) * factor + mean
    }
  }

  /// The mean over the channels of each pixel.
  private func pixelMeans<Scalar: BinaryFloatingPoint>(_ image: [Scalar]) -> [Scalar] {
    (0..<plane).map { place in
      var sum: Scalar = 0
      for channel in 0..<channels { sum += image[channel * plane + place] }
      return sum / Scalar(channels)
    }
  }

  /// The mean over the whole image, once for each pixel. The sum is in float64 for either scalar.
  private func imageMean<Scalar: BinaryFloatingPoint>(_ image: [Scalar]) -> [Scalar] {
    let sum = image.reduce(0) { $0 + Double($1) }
    return [Scalar](repeating: Scalar(sum / Double(size)), count: plane)
  }

  private func shifted<Scalar: BinaryFloatingPoint>(
    _ image: [Scalar], _ rows: Int, _ columns: Int
  ) -> [Scalar] {
    var result = [Scalar](repeating: 0, count: size)
    for channel in 0..<channels {
      for row in 0..<side where (0..<side).contains(row + rows) {
        for column in 0..<side where (0..<side).contains(column + columns) {
          result[(channel * side + row) * side + column] =
            image[(channel * side + row + rows) * side + column + columns]
        }
      }
    }
    return result
  }

  private func cut<Scalar: BinaryFloatingPoint>(
    _ image: inout [Scalar], _ change: PictureChange
  ) {
    for channel in 0..<channels {
      for row in PictureChange.cutRange(middle: change.cutRow, side: side) {
        for column in PictureChange.cutRange(middle: change.cutColumn, side: side) {
          image[(channel * side + row) * side + column] = 0
        }
      }
    }
  }
}
