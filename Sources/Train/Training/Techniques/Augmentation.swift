import BollyGANModel

/// The kinds of changes that DiffAugment makes to every image that the discriminator sees.
///
/// With only a few thousand images, a discriminator memorises them. Augmenting them prevents that.
/// Generated images are augmented too, with gradients through the change, so the generator does not
/// learn to reproduce the changes.
///
/// - SeeAlso: Zhao, Liu, Lin, Zhu and Han 2020, "Differentiable Augmentation for Data-Efficient GAN
///   Training" (arXiv:2006.10738), section 3.2.
public struct Augmentation: OptionSet, Hashable, Sendable, Codable, CustomStringConvertible {
  /// One bit for each kind.
  public let rawValue: Int

  /// The kinds of the given bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Brightness, saturation and contrast.
  public static let color = Augmentation(rawValue: 1)
  /// Shifts by up to an eighth of the side, filled with 0 (mid-gray).
  public static let translation = Augmentation(rawValue: 2)
  /// Sets a square of half the side to 0 (mid-gray).
  public static let cutout = Augmentation(rawValue: 4)

  private static let names: [(name: String, kind: Augmentation)] = [
    ("color", .color), ("translation", .translation), ("cutout", .cutout),
  ]

  /// Parses a list such as `color,translation,cutout`, or `none`.
  ///
  /// Changes are applied in this order, whatever the order in the list. Returns nil if a name is
  /// unknown or appears twice.
  public init?(_ text: String) {
    var found: Augmentation = []
    if text != "none" {
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard let kind = Self.names.first(where: { $0.name == part })?.kind, !found.contains(kind)
        else { return nil }
        found.insert(kind)
      }
    }
    self = found
  }

  /// The list that ``init(_:)`` parses.
  public var description: String {
    isEmpty
      ? "none" : Self.names.filter { contains($0.kind) }.map(\.name).joined(separator: ",")
  }

  /// Decodes a list that ``init(_:)`` parses.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let found = Augmentation(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a list of color, translation and cutout")
    }
    self = found
  }

  /// Encodes ``description``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Draws the changes of one image: one word for each number, in the order of ``PictureChange``.
  /// Kinds that are not in the set draw nothing.
  func drawn(side: Int, from random: inout TorchRandom) -> PictureChange {
    var change = PictureChange.none
    if contains(.color) {
      change.brightness = random.uniform() - 0.5
      change.saturation = random.uniform() * 2
      change.contrast = random.uniform() + 0.5
    }
    if contains(.translation) {
      let reach = PictureChange.reach(side: side)
      change.rowShift = random.below(2 * reach + 1) - reach
      change.columnShift = random.below(2 * reach + 1) - reach
    }
    if contains(.cutout) {
      // The middle can be anywhere in the image, so part of the square can be outside.
      let places = side + 1 - PictureChange.cut(side: side) % 2
      change.cutRow = random.below(places)
      change.cutColumn = random.below(places)
    }
    return change
  }
}

/// DiffAugment's changes to one image.
///
/// With x̄ the mean of the whole image and x̂ the mean of a pixel's channels, colour turns x into
///
///     contrast · (saturation · (x − x̂) + x̂ − x̄) + x̄ + brightness
///
/// which is Zhao et al.'s brightness, saturation and contrast one after the other. Then the image
/// is shifted, and a square of it set to 0.
public struct PictureChange: Equatable, Sendable {
  /// Added to every value: −0.5…0.5.
  public var brightness: Float
  /// Factor of each value's distance from its pixel's mean: 0…2.
  public var saturation: Float
  /// Factor of each value's distance from the image's mean: 0.5…1.5.
  public var contrast: Float
  /// Row i becomes the former row i + `rowShift`; rows from outside are 0.
  public var rowShift: Int
  /// Column i becomes the former column i + `columnShift`; columns from outside are 0.
  public var columnShift: Int
  /// Row of the square's middle; nil for no square.
  public var cutRow: Int?
  /// Column of the square's middle; nil for no square.
  public var cutColumn: Int?

  /// No change.
  public static let none = PictureChange(
    brightness: 0, saturation: 1, contrast: 1, rowShift: 0, columnShift: 0)

  /// Collects the numbers of a change.
  public init(
    brightness: Float, saturation: Float, contrast: Float, rowShift: Int, columnShift: Int,
    cutRow: Int? = nil, cutColumn: Int? = nil
  ) {
    self.brightness = brightness
    self.saturation = saturation
    self.contrast = contrast
    self.rowShift = rowShift
    self.columnShift = columnShift
    self.cutRow = cutRow
    self.cutColumn = cutColumn
  }

  /// Largest shift, in pixels: an eighth of the side.
  static func reach(side: Int) -> Int { (side + 4) / 8 }
  /// Side of the square: half of the image's.
  static func cut(side: Int) -> Int { (side + 1) / 2 }

  /// Rows (or columns) of the square around `middle` that are inside the image.
  static func cutRange(middle: Int?, side: Int) -> Range<Int> {
    guard let middle else { return 0..<0 }
    let first = middle - cut(side: side) / 2
    return max(0, first)..<min(side, first + cut(side: side))
  }

  /// Whether all values stay unchanged, apart from where they are.
  var keepsColor: Bool { brightness == 0 && saturation == 1 && contrast == 1 }
}

/// The changes that DiffAugment makes to the three batches that the discriminator sees in a step.
public struct BatchChanges: Equatable, Sendable {
  /// One for each real image.
  public var real: [PictureChange]
  /// One for each generated image of the discriminator's step.
  public var fake: [PictureChange]
  /// One for each generated image of the generator's step. They differ from ``fake`` even where the
  /// images are the same.
  public var generator: [PictureChange]

  /// Collects the changes of three batches.
  public init(real: [PictureChange], fake: [PictureChange], generator: [PictureChange]) {
    self.real = real
    self.fake = fake
    self.generator = generator
  }

  /// The changes of one of the batches.
  subscript(batch: StepBatch) -> [PictureChange] {
    switch batch {
    case .real: real
    case .fake: fake
    case .generator: generator
    }
  }
}
