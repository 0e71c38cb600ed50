import BollyGANCompute

// DiffAugment on batches of images, forward and backward.

extension FastLoops {
  /// Direction of a pass through DiffAugment.
  enum AugmentDirection {
    /// From images to augmented ones.
    case forward
    /// From the gradient with respect to augmented images to the gradient with respect to images.
    case backward
  }

  /// Passes a batch of images through DiffAugment, in one pass over memory.
  ///
  /// All steps but brightness are linear. Saturation and contrast are symmetric maps that commute.
  /// So the backward pass is the same sum with the shift reversed, brightness left out, and the
  /// square cut out before the mean is taken instead of at the end.
  ///
  /// - Parameters:
  ///   - changes: one for each image.
  ///   - layout: layout of both `source` and `target`.
  func augment(
    _ changes: [PictureChange], _ direction: AugmentDirection, from source: FloatBuffer,
    to target: FloatBuffer, layout: MapLayout
  ) {
    let (side, channels) = (layout.rows, layout.channels)
    precondition(
      layout.pixelStride == channels && layout.columns == side, "not a layout of images")
    workers.run(changes.count) { image, _ in
      let range = image * layout.imageStride..<(image + 1) * layout.imageStride
      source.read(range) { from in
        target.write(range) { to in
          augment(changes[image], direction, from: from, to: &to, layout: layout)
        }
      }
    }
  }

  /// Passes one image through DiffAugment.
  private func augment(
    _ change: PictureChange, _ direction: AugmentDirection, from: Span<Float>,
    to: inout MutableSpan<Float>, layout: MapLayout
  ) {
    let (side, channels) = (layout.rows, layout.channels)
    let isBackward = direction == .backward
    let sign = isBackward ? -1 : 1
    let (rowShift, columnShift) = (sign * change.rowShift, sign * change.columnShift)
    let cutRows = PictureChange.cutRange(middle: change.cutRow, side: side)
    let cutColumns = PictureChange.cutRange(middle: change.cutColumn, side: side)
    func isCut(_ row: Int, _ column: Int) -> Bool {
      cutRows.contains(row) && cutColumns.contains(column)
    }
    func place(_ row: Int, _ column: Int) -> Int {
      layout.origin + row * layout.rowStride + column * channels
    }

    let contrast = change.contrast
    let gain = contrast * change.saturation
    var offset: Float = 0
    if !change.keepsColor {
      var sum = 0.0
      for row in 0..<side {
        var ofRow: Float = 0
        for column in 0..<side {
          // Pixels that were shifted out or cut have no gradient.
          if isBackward
            && (isCut(row, column) || !(0..<side).contains(row - rowShift)
              || !(0..<side).contains(column - columnShift))
          {
            continue
          }
          for channel in 0..<channels { ofRow += from[place(row, column) + channel] }
        }
        sum += Double(ofRow)
      }
      let mean = Float(sum / Double(layout.pixels * channels))
      offset = (1 - contrast) * mean + (isBackward ? 0 : change.brightness)
    }
    for row in 0..<side {
      for column in 0..<side {
        let here = place(row, column)
        let (readRow, readColumn) = (row + rowShift, column + columnShift)
        let isInside = (0..<side).contains(readRow) && (0..<side).contains(readColumn)
        let isHidden =
          !isInside || (isBackward ? isCut(readRow, readColumn) : isCut(row, column))
        if isHidden {
          // Backward, the gradient of the mean reaches every pixel.
          for channel in 0..<channels { to[here + channel] = isBackward ? offset : 0 }
          continue
        }
        let there = place(readRow, readColumn)
        if change.keepsColor {
          for channel in 0..<channels { to[here + channel] = from[there + channel] }
          continue
        }
        var mean: Float = 0
        for channel in 0..<channels { mean += from[there + channel] }
        mean /= Float(channels)
        let common = contrast * mean + offset
        for channel in 0..<channels {
          to[here + channel] = gain * (from[there + channel] - mean) + common
        }
      }
    }
  }
}
