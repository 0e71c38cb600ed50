import BollyGANCompute

extension FastLoops {
  /// Which way pictures go through DiffAugment.
  enum ChangeDirection {
    /// From pictures to changed ones.
    case forward
    /// From the gradient to changed pictures to that to the pictures themselves.
    case backward
  }

  /// DiffAugment in one pass over a batch of pictures, all of one layout, or the way back through it.
  ///
  /// All of its steps but brightness are linear. Saturation and contrast are symmetric maps that
  /// commute, so the way back is the same sum with the move reversed, brightness left out, and the
  /// square cut before the means are taken and not at the end.
  func change(
    _ changes: [PictureChange], _ direction: ChangeDirection, from source: FloatBuffer,
    to target: FloatBuffer, layout: MapLayout
  ) {
    let (side, channels) = (layout.rows, layout.channels)
    precondition(layout.pixelStride == channels && layout.columns == side, "no layout of pictures")
    workers.run(changes.count) { image, _ in
      let change = changes[image]
      let start = image * layout.imageStride
      let from = unsafe Span(_unsafeStart: source.base + start, count: layout.imageStride)
      var to = unsafe MutableSpan(_unsafeStart: target.base + start, count: layout.imageStride)
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
            // On the way back, what was moved out of sight or cut has no gradient.
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
          let isSeen = (0..<side).contains(readRow) && (0..<side).contains(readColumn)
          let isHidden =
            !isSeen || (isBackward ? isCut(readRow, readColumn) : isCut(row, column))
          if isHidden {
            // The gradient of the mean reaches every pixel on the way back.
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
  /// Adds noise to pictures.
  func add(
    _ noise: InstanceNoise, _ part: InstanceNoise.Batch, to pictures: FloatBuffer, images: Int,
    layout: MapLayout
  ) {
    let width = layout.columns * layout.pixelStride
    workers.run(images) { image, _ in
      let start = image * layout.imageStride + layout.origin
      var to = unsafe MutableSpan(
        _unsafeStart: pictures.base + start, count: layout.imageStride - layout.origin)
      noise.each(part, picture: image, count: layout.rows * width) { place, number in
        let (row, column) = place.quotientAndRemainder(dividingBy: width)
        to[row * layout.rowStride + column] += number
      }
    }
  }
  /// Multiplies pictures by a number.
  ///
  /// - Returns: The sum of the squares that were there before.
  func scaleAndSquare(
    _ pictures: FloatBuffer, by factor: Float, layout: MapLayout, images: Int
  ) -> Double {
    let width = layout.columns * layout.pixelStride
    return workers.map(images) { image in
      let start = image * layout.imageStride + layout.origin
      var to = unsafe MutableSpan(
        _unsafeStart: pictures.base + start, count: layout.imageStride - layout.origin)
      var sum = 0.0
      for row in 0..<layout.rows {
        for place in row * layout.rowStride..<row * layout.rowStride + width {
          sum += Double(to[place]) * Double(to[place])
          to[place] *= factor
        }
      }
      return sum
    }.reduce(0, +)
  }
}
