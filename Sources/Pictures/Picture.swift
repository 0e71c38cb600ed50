/// An image of 8-bit samples, gray or RGB.
///
/// Samples are interleaved and stored row by row: pixel (x, y) starts at
/// `(y·width + x)·channels`.
public struct Picture: Hashable, Sendable, CustomStringConvertible {
  /// The width in pixels, at least 1.
  public let width: Int
  /// The height in pixels, at least 1.
  public let height: Int
  /// The number of samples per pixel: 1 (gray) or 3 (red, green, blue).
  public let channels: Int
  /// The samples, 0…255.
  public let pixels: [UInt8]

  /// An image of the given samples.
  ///
  /// - Precondition: Width and height are at least 1, `channels` is 1 or 3, and `pixels` has
  ///   `width·height·channels` samples.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image cannot have \(width) x \(height) pixels")
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
    precondition(
      pixels.count == width * height * channels,
      "\(pixels.count) samples do not fill \(width) x \(height) x \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// The size and the colour space: `64 x 64 RGB`.
  public var description: String { "\(width) x \(height) \(channels == 1 ? "gray" : "RGB")" }

  /// The image converted to gray or RGB.
  ///
  /// Gray is copied into all three channels. RGB becomes luma as in Pillow's `convert("L")`
  /// (ITU-R 601-2, in 16-bit fixed point).
  ///
  /// - Precondition: `channels` is 1 or 3.
  public func converted(channels: Int) -> Picture {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
    if channels == self.channels { return self }
    let count = width * height
    let converted: [UInt8]
    if channels == 3 {
      converted = [UInt8](capacity: 3 * count) { samples in
        for gray in pixels {
          samples.append(gray)
          samples.append(gray)
          samples.append(gray)
        }
      }
    } else {
      converted = [UInt8](capacity: count) { samples in
        for i in 0..<count {
          // 0.299, 0.587 and 0.114 times 2^16; the sum of the weights is 2^16.
          let red = 19595 * UInt32(pixels[3 * i])
          let green = 38470 * UInt32(pixels[3 * i + 1])
          let blue = 7471 * UInt32(pixels[3 * i + 2])
          samples.append(UInt8((red + green + blue + 0x8000) >> 16))
        }
      }
    }
    return Picture(width: width, height: height, channels: channels, pixels: converted)
  }
}
