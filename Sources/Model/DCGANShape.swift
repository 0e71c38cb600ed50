/// The sizes that determine a DCGAN: every layer of generator and discriminator derives from them.
///
/// The generator projects `latent` numbers to a 4x4 map and doubles its side, halving the channels,
/// until the picture has its side; the discriminator goes the same way back.
///
/// - SeeAlso: Radford, Metz and Chintala 2015 (arXiv:1511.06434), section 3.
public struct DCGANShape: Hashable, Sendable {
  /// Numbers in a latent vector (`nz`), 1 to 1024.
  public let latent: Int
  /// Channels of the generator's last hidden map (`ngf`), 1 to 512.
  public let generatorWidth: Int
  /// Channels of the discriminator's first map (`ndf`), 1 to 512.
  public let discriminatorWidth: Int
  /// Height and width of a picture: 32, 64 or 128 pixels.
  public let side: Int
  /// Channels of a picture: 3 for RGB, 1 for gray.
  public let channels: Int

  /// The article's network: latent 64, width 64, 64x64 RGB.
  public static let article = DCGANShape(
    unchecked: 64, generatorWidth: 64, discriminatorWidth: 64, side: 64, channels: 3)

  /// A shape within the bounds above.
  ///
  /// - Throws: ``ShapeError`` naming the value that is out of bounds.
  public init(
    latent: Int = 64, generatorWidth: Int = 64, discriminatorWidth: Int? = nil, side: Int = 64,
    channels: Int = 3
  ) throws(ShapeError) {
    let discriminatorWidth = discriminatorWidth ?? generatorWidth
    guard (1...1024).contains(latent) else {
      throw ShapeError(name: "latent size", value: latent, accepted: "1 to 1024")
    }
    for (name, width) in [
      ("generator width", generatorWidth), ("discriminator width", discriminatorWidth),
    ] where !(1...512).contains(width) {
      throw ShapeError(name: name, value: width, accepted: "1 to 512")
    }
    guard [32, 64, 128].contains(side) else {
      throw ShapeError(name: "side", value: side, accepted: "32, 64 or 128")
    }
    guard channels == 1 || channels == 3 else {
      throw ShapeError(name: "channels", value: channels, accepted: "1 or 3")
    }
    self.init(
      unchecked: latent, generatorWidth: generatorWidth, discriminatorWidth: discriminatorWidth,
      side: side, channels: channels)
  }

  private init(
    unchecked latent: Int, generatorWidth: Int, discriminatorWidth: Int, side: Int, channels: Int
  ) {
    self.latent = latent
    self.generatorWidth = generatorWidth
    self.discriminatorWidth = discriminatorWidth
    self.side = side
    self.channels = channels
  }

  /// How often a 4x4 map is doubled to reach the side: 3, 4 or 5.
  public var doublings: Int { side.trailingZeroBitCount - 2 }

  /// Channels of the generator's maps from the latent to the picture:
  /// `[latent, 8w, 4w, 2w, w, channels]` for 64x64.
  public var generatorChannels: [Int] {
    [latent] + (0..<doublings).map { generatorWidth << (doublings - 1 - $0) } + [channels]
  }

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
