import BollyGANCompute
import BollyGANKernels

// Loops over the images that a generator makes and a discriminator reads.

extension FastLoops {
  /// The backward pass through tanh.
  ///
  /// - Parameters:
  ///   - images: outputs of tanh.
  ///   - gradient: with respect to them; overwritten with the gradient with respect to its inputs.
  ///   - layout: layout of both.
  func tanhBackward(_ images: ImageBatch, gradient: FloatBuffer, layout: MapLayout) {
    workers.run(images.count) { image, _ in
      for row in 0..<layout.rows {
        let start = image * layout.imageStride + layout.origin + row * layout.rowStride
        unsafe kernels.tanh_gradient(
          layout.columns * layout.pixelStride, images.values.base + start,
          gradient.base + start, gradient.base + start)
      }
    }
  }

  /// Adds instance noise to images.
  func add(
    _ noise: InstanceNoise, of batch: StepBatch, to images: ImageBatch, layout: MapLayout
  ) {
    let width = layout.columns * layout.pixelStride
    workers.run(images.count) { image, _ in
      let start = image * layout.imageStride
      images.values.write(start + layout.origin..<start + layout.imageStride) { to in
        noise.each(batch, picture: image, count: layout.rows * width) { place, number in
          let (row, column) = place.quotientAndRemainder(dividingBy: width)
          to[row * layout.rowStride + column] += number
        }
      }
    }
  }

  /// Multiplies images by a factor.
  ///
  /// - Returns: The sum of squares before.
  func scaleAndSquare(_ images: ImageBatch, by factor: Float, layout: MapLayout) -> Double {
    let width = layout.columns * layout.pixelStride
    return workers.map(images.count) { image in
      let start = image * layout.imageStride
      return images.values.write(start + layout.origin..<start + layout.imageStride) { to in
        var sum = 0.0
        for row in 0..<layout.rows {
          for place in row * layout.rowStride..<row * layout.rowStride + width {
            sum += Double(to[place]) * Double(to[place])
            to[place] *= factor
          }
        }
        return sum
      }
    }.reduce(0, +)
  }

  /// 8-bit values in −1…1, as torchvision's ToTensor and Normalize(0.5, 0.5) compute them in
  /// float32.
  private static let levels: [Float] = (0...255).map { (Float($0) / 255 - 0.5) / 0.5 }

  /// Converts 8-bit images `[count, rows, columns, channels]` to −1…1.
  func load(_ pixels: [UInt8], into images: FloatBuffer, layout: MapLayout) -> ImageBatch {
    let row = layout.columns * layout.pixelStride
    let count = pixels.count / (row * layout.rows)
    workers.run(count) { image, _ in
      for line in 0..<layout.rows {
        let source = (image * layout.rows + line) * row
        let target = image * layout.imageStride + layout.origin + line * layout.rowStride
        images.write(target..<target + row) { to in
          for index in to.indices { to[index] = Self.levels[Int(pixels[source + index])] }
        }
      }
    }
    return ImageBatch(values: images, count: count)
  }
}
