/// The sizes that determine a DCGAN: every layer of generator and discriminator derives from them.
///
/// The generator projects `latent` numbers to a 4x4 map and doubles its side, halving the channels,
/// until the picture has its side; the discriminator goes the same way back.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434), section 3.
public struct DCGANShape: Hashable, Sendable {
  /// Numbers in a latent vector (`nz`), 1 to 1024.
  public let latent: Int
  /// Channels of the generator's hidden maps, the 4x4 one first, 1 to 16384 each. They halve from map
  /// to map in a DCGAN as described; those that somebody else trained may have others.
  public let generatorWidths: [Int]
  /// Channels of the discriminator's first map (`ndf`), 1 to 512.
  public let discriminatorWidth: Int
  /// Height and width of a picture: 16, 32, 64, 128 or 256 pixels.
  public let side: Int
  /// Channels of a picture: 3 for RGB, 1 for gray.
  public let channels: Int

  /// The article's network: latent 64, width 64, 64x64 RGB.
  public static let article = DCGANShape(
    unchecked: 64, generatorWidths: [512, 256, 128, 64], discriminatorWidth: 64, channels: 3)

  /// A shape within the bounds above, of maps whose channels halve.
  ///
  /// - Throws: ``ShapeError`` naming the value that is out of bounds.
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

  /// A generator's shape with channels that need not halve.
  ///
  /// - Parameters:
  ///   - latent: Numbers in a latent vector, 1 to 1024.
  ///   - generatorWidths: Channels of the hidden maps, the 4x4 one first, 1 to 16384 each. There are
  ///     2 to 6; each doubles the side, so the picture has 4 · 2ⁿ.
  ///   - channels: 3 for RGB, 1 for gray.
  /// - Throws: ``ShapeError`` naming the value that is out of bounds.
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

  /// Sides that a picture may have.
  public static let sides = [16, 32, 64, 128, 256]

  /// Channels of the generator's last hidden map (`ngf`), 1 to 512 where the widths halve.
  public var generatorWidth: Int { generatorWidths[generatorWidths.count - 1] }

  /// How often a 4x4 map is doubled to reach the side: 2 for 16x16, 4 for 64x64.
  public var doublings: Int { generatorWidths.count }

  /// Channels of the generator's maps from the latent to the picture:
  /// `[latent, 8w, 4w, 2w, w, channels]` for 64x64.
  public var generatorChannels: [Int] { [latent] + generatorWidths + [channels] }

  /// Channels of the discriminator's maps from the picture to the score:
  /// `[channels, w, 2w, 4w, 8w, 1]` for 64x64.
  public var discriminatorChannels: [Int] {
    [channels] + (0..<doublings).map { discriminatorWidth << $0 } + [1]
  }

  /// Values in one picture: channels · side · side.
  public var pictureCount: Int { channels * side * side }
}

/// A size that no DCGAN here can have.
public struct ShapeError: Error, Equatable, CustomStringConvertible {
  /// What the value is the size of.
  public let name: String
  /// The value that was asked for or found.
  public let value: Int
  /// What would be accepted.
  public let accepted: String

  /// A sentence that says what is wrong and what would be right.
  public var description: String { "\(name) \(value) is not supported, only \(accepted)" }
}
