/// The sizes of a DCGAN. Every layer of the generator and the discriminator follows from them.
///
/// The generator projects `latent` numbers to a 4x4 map, then doubles the side and halves the
/// channels until the map has the size of the image. The discriminator is its mirror image.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434), section 3.
public struct DCGANShape: Hashable, Sendable {
  /// The length of a latent vector (`nz`), 1 to 1024.
  public let latent: Int
  /// The channels of the generator's hidden maps, 1 to 16384 each, starting with the 4x4 map.
  ///
  /// In the paper they halve from map to map. Imported networks may differ.
  public let generatorWidths: [Int]
  /// The channels of the discriminator's first map (`ndf`), 1 to 512.
  public let discriminatorWidth: Int
  /// The height and width of an image: 16, 32, 64, 128 or 256 pixels.
  public let side: Int
  /// The channels of an image: 3 for RGB, 1 for gray.
  public let channels: Int

  /// The article's network: latent 64, width 64, 64x64 RGB.
  public static let article = DCGANShape(
    unchecked: 64, generatorWidths: [512, 256, 128, 64], discriminatorWidth: 64, channels: 3)

  /// A shape whose channels halve from map to map.
  ///
  /// - Parameters:
  ///   - latent: The length of a latent vector, 1 to 1024.
  ///   - generatorWidth: The channels of the generator's last hidden map, 1 to 512.
  ///   - discriminatorWidth: The channels of the discriminator's first map, 1 to 512; by default
  ///     `generatorWidth`.
  ///   - side: 16, 32, 64, 128 or 256 pixels.
  ///   - channels: 3 for RGB, 1 for gray.
  /// - Throws: ``ShapeError`` for the first value that is out of bounds.
  public init(
    latent: Int = 64, generatorWidth: Int = 64, discriminatorWidth: Int? = nil, side: Int = 64,
    channels: Int = 3
  ) throws(ShapeError) {
    let discriminatorWidth = discriminatorWidth ?? generatorWidth
    for (name, width) in [
      ("generator width", generatorWidth), ("discriminator width", discriminatorWidth),
    ] where !(1...512).contains(width) {
      throw ShapeError(name: name, value: width, accepted: "1 to 512")
    }
    guard Self.sides.contains(side) else {
      throw ShapeError(name: "side", value: side, accepted: "16, 32, 64, 128 or 256")
    }
    let doublings = side.trailingZeroBitCount - 2
    try Self.check(latent: latent, channels: channels)
    self.init(
      unchecked: latent,
      generatorWidths: (0..<doublings).map { generatorWidth << (doublings - 1 - $0) },
      discriminatorWidth: discriminatorWidth, channels: channels)
  }

  /// The shape of a generator whose channels need not halve.
  ///
  /// - Parameters:
  ///   - latent: The length of a latent vector, 1 to 1024.
  ///   - generatorWidths: The channels of the hidden maps, 1 to 16384 each, starting with the 4x4
  ///     map. With n = 2 to 6 hidden maps, the side of an image is 4 · 2ⁿ.
  ///   - channels: 3 for RGB, 1 for gray.
  /// - Throws: ``ShapeError`` for the first value that is out of bounds.
  public init(latent: Int, generatorWidths: [Int], channels: Int = 3) throws(ShapeError) {
    guard (2...6).contains(generatorWidths.count) else {
      throw ShapeError(
        name: "number of hidden maps", value: generatorWidths.count, accepted: "2 to 6")
    }
    for width in generatorWidths where !(1...512 << 5).contains(width) {
      throw ShapeError(name: "generator width", value: width, accepted: "1 to \(512 << 5)")
    }
    try Self.check(latent: latent, channels: channels)
    self.init(
      unchecked: latent, generatorWidths: generatorWidths,
      discriminatorWidth: min(generatorWidths.last!, 512), channels: channels)
  }

  private static func check(latent: Int, channels: Int) throws(ShapeError) {
    guard (1...1024).contains(latent) else {
      throw ShapeError(name: "latent size", value: latent, accepted: "1 to 1024")
    }
    guard channels == 1 || channels == 3 else {
      throw ShapeError(name: "channels", value: channels, accepted: "1 or 3")
    }
  }

  private init(
    unchecked latent: Int, generatorWidths: [Int], discriminatorWidth: Int, channels: Int
  ) {
    self.latent = latent
    self.generatorWidths = generatorWidths
    self.discriminatorWidth = discriminatorWidth
    side = 4 << generatorWidths.count
    self.channels = channels
  }

  /// The image sides that are supported, in pixels.
  public static let sides = [16, 32, 64, 128, 256]

  /// The channels of the generator's last hidden map (`ngf`); 1 to 512 if the widths halve.
  public var generatorWidth: Int { generatorWidths[generatorWidths.count - 1] }

  /// How many times a 4x4 map is doubled to reach the side: 2 for 16x16, 4 for 64x64.
  public var doublings: Int { generatorWidths.count }

  /// The channels of the generator's maps from the latent to the image:
  /// `[latent, 8w, 4w, 2w, w, channels]` for 64x64.
  public var generatorChannels: [Int] { [latent] + generatorWidths + [channels] }

  /// The channels of the discriminator's maps from the image to the score:
  /// `[channels, w, 2w, 4w, 8w, 1]` for 64x64.
  public var discriminatorChannels: [Int] {
    [channels] + (0..<doublings).map { discriminatorWidth << $0 } + [1]
  }

  /// The number of values in one image: channels · side · side.
  public var pictureCount: Int { channels * side * side }
}

/// A size that is not supported.
public struct ShapeError: Error, Equatable, CustomStringConvertible {
  /// The name of the size, such as `latent size`.
  public let name: String
  /// The value that was requested or found.
  public let value: Int
  /// The accepted values.
  public let accepted: String

  /// What is wrong and what is accepted, such as `side 48 is not supported, only 16, 32, ...`.
  public var description: String { "\(name) \(value) is not supported, only \(accepted)" }
}
