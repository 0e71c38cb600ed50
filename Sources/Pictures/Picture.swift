/// A picture of 8-bit samples: gray or RGB.
///
/// Samples lie interleaved and row by row: pixel (x, y) begins at `(y·width + x)·channels`.
public struct Picture: Hashable, Sendable, CustomStringConvertible {
  /// Pixels in a row, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// Samples a pixel: 1 (gray) or 3 (red, green, blue).
  public let channels: Int
  /// The samples, 0…255.
  public let pixels: [UInt8]

  /// A picture of the given samples.
  ///
  /// - Precondition: sizes are at least 1, `channels` is 1 or 3, and `pixels` has
  ///   `width·height·channels` samples.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "\(width) x \(height) pixels are no picture")
    precondition(channels == 1 || channels == 3, "a picture has 1 or 3 channels, not \(channels)")
    precondition(
      pixels.count == width * height * channels,
      "\(pixels.count) samples do not fill \(width) x \(height) x \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Size and kind: `64 x 64 RGB`.
  public var description: String { "\(width) x \(height) \(channels == 1 ? "gray" : "RGB")" }

  /// The same picture in gray or in RGB.
  ///
  /// Gray is copied into all three channels. RGB becomes luma as Pillow's `convert("L")` makes it
  /// (ITU-R 601-2, in 16-bit fixed point).
  ///
  /// - Precondition: `channels` is 1 or 3.
  public func converted(channels: Int) -> Picture {
    precondition(channels == 1 || channels == 3, "a picture has 1 or 3 channels, not \(channels)")
    if channels == self.channels { return self }
    let count = width * height
    let converted: [UInt8]
    if channels == 3 {
      converted = unsafe [UInt8](unsafeUninitializedCapacity: 3 * count) { samples, filled in
        for i in 0..<count {
          let gray = pixels[i]
          unsafe samples[3 * i] = gray
          unsafe samples[3 * i + 1] = gray
          unsafe samples[3 * i + 2] = gray
        }
        filled = 3 * count
      }
    } else {
      converted = unsafe [UInt8](unsafeUninitializedCapacity: count) { samples, filled in
        for i in 0..<count {
          let red = 19595 * UInt32(pixels[3 * i])
          let green = 38470 * UInt32(pixels[3 * i + 1])
          let blue = 7471 * UInt32(pixels[3 * i + 2])
          unsafe samples[i] = UInt8((red + green + blue + 0x8000) >> 16)
        }
        filled = count
      }
    }
    return Picture(width: width, height: height, channels: channels, pixels: converted)
  }
}
