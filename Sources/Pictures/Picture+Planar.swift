/// How numbers in −1…1 become samples in 0…255. Fractions are truncated.
public enum PixelRule: String, CaseIterable, Sendable {
  /// `(x + 1)/2·255 + 0.5`, as in torchvision's `save_image` after the tutorial's
  /// denormalisation.
  case torchvision
  /// `x·127.5 + 128`, as in StyleGAN.
  case stylegan
  /// As in torchvision's `save_image(normalize=True)`: the smallest and the largest number of all
  /// images become 0 and 255.
  case minmax
}

extension Picture {
  /// An image from the output of a generator.
  ///
  /// - Parameters:
  ///   - planar: The numbers, `[channels, height, width]`, row-major, in −1…1. Numbers outside are
  ///     clamped, and NaN becomes 0.
  ///   - channels: 3 for RGB, 1 for gray.
  ///   - width: The width in pixels.
  ///   - height: The height in pixels.
  ///   - rule: How a number becomes a sample.
  /// - Precondition: `planar` has `channels·height·width` numbers and `channels` is 1 or 3.
  public init(
    planar: [Float], channels: Int, width: Int, height: Int, rule: PixelRule = .torchvision
  ) {
    self =
      Picture.pictures(
        planar: planar, channels: channels, width: width, height: height, rule: rule)[0]
  }

  /// Images from the output of a generator for a batch.
  ///
  /// - Parameters:
  ///   - planar: The numbers, `[N, channels, height, width]`, row-major, in −1…1.
  ///   - channels: 3 for RGB, 1 for gray.
  ///   - width: The width in pixels.
  ///   - height: The height in pixels.
  ///   - rule: How a number becomes a sample. ``PixelRule/minmax`` uses the range of the whole
  ///     batch.
  /// - Precondition: `planar` holds one or more whole images, and `channels` is 1 or 3.
  /// - SeeAlso: ``init(planar:channels:width:height:rule:)``
  public static func pictures(
    planar: [Float], channels: Int, width: Int, height: Int, rule: PixelRule = .torchvision
  ) -> [Picture] {
    let area = width * height
    precondition(
      !planar.isEmpty && planar.count % (channels * area) == 0,
      "\(planar.count) numbers are not whole images of \(channels) x \(height) x \(width)")
    let scaling = Scaling(rule, over: planar)
    return stride(from: 0, to: planar.count, by: channels * area).map { start in
      let pixels = unsafe [UInt8](
        unsafeUninitializedCapacity: channels * area
      ) { samples, filled in
        for c in 0..<channels {
          let plane = start + c * area
          for i in 0..<area {
            unsafe samples[i * channels + c] = scaling.sample(planar[plane + i])
          }
        }
        filled = channels * area
      }
      return Picture(width: width, height: height, channels: channels, pixels: pixels)
    }
  }

  /// The image as numbers in −1…1, `[channels, height, width]`, row-major.
  ///
  /// A sample v becomes (v/255 − 0.5)/0.5, rounded like torchvision's `ToTensor` and `Normalize`.
  public var planar: [Float] {
    let area = width * height
    var planar = [Float](repeating: 0, count: pixels.count)
    for c in 0..<channels {
      for i in 0..<area {
        planar[c * area + i] = (Float(pixels[i * channels + c]) / 255 - 0.5) / 0.5
      }
    }
    return planar
  }
}

/// The arithmetic of a ``PixelRule`` in float32, with every step rounded as in PyTorch.
private struct Scaling {
  private let rule: PixelRule
  private var low: Float = 0
  private var range: Float = 1

  init(_ rule: PixelRule, over numbers: [Float]) {
    self.rule = rule
    guard rule == .minmax else { return }
    var (smallest, largest) = (Float.infinity, -Float.infinity)
    for number in numbers {
      smallest = min(smallest, number)
      largest = max(largest, number)
    }
    low = smallest
    range = max(largest - smallest, 1e-5)
  }

  func sample(_ x: Float) -> UInt8 {
    let value: Float =
      switch rule {
      case .torchvision: (x + 1) / 2 * 255 + 0.5
      case .stylegan: x * 127.5 + 128
      case .minmax: (x - low) / range * 255 + 0.5
      }
    // The first comparison is false for NaN.
    return value > 0 ? (value < 255 ? UInt8(value) : 255) : 0
  }
}
