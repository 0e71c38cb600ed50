import BollyGANModel

/// What DiffAugment changes about every picture that the discriminator sees, real or made.
///
/// A discriminator that has only some thousand pictures learns them by heart. Showing it changed
/// ones hinders that, and because the made ones are changed as well, with gradients through the
/// change, the generator does not learn to draw the changes.
///
/// - SeeAlso: Zhao, Liu, Lin, Zhu and Han 2020, "Differentiable Augmentation for Data-Efficient GAN
///   Training" (arXiv:2006.10738), section 3.2.
public struct Augmentation: OptionSet, Hashable, Sendable, Codable, CustomStringConvertible {
  /// The bits that stand for the changes.
  public let rawValue: Int

  /// A set of the given bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Brightness, saturation and contrast.
  public static let color = Augmentation(rawValue: 1)
  /// Moves by up to an eighth of the side, black behind.
  public static let translation = Augmentation(rawValue: 2)
  /// A square of half the side is made gray (0 in −1…1).
  public static let cutout = Augmentation(rawValue: 4)

  private static let names: [(name: String, kind: Augmentation)] = [
    ("color", .color), ("translation", .translation), ("cutout", .cutout),
  ]

  /// The changes that a list such as `color,translation,cutout` names; `none` names none of them.
  /// They are made in this order, whatever the order in the list. Nil where a name is unknown or
  /// stands twice.
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

  /// The list that ``init(_:)`` reads.
  public var description: String {
    isEmpty
      ? "none" : Self.names.filter { contains($0.kind) }.map(\.name).joined(separator: ",")
  }

  /// Reads what ``description`` gives.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let found = Augmentation(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "no list of color, translation and cutout")
    }
    self = found
  }

  /// Writes ``description``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Draws the changes of one picture.
  ///
  /// One word for each number, in the order of ``PictureChange``, those of the changes that are not
  /// made left out.
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
      // The square's middle may lie anywhere, so that some of it may lie outside.
      let places = side + 1 - PictureChange.cut(side: side) % 2
      change.cutRow = random.below(places)
      change.cutColumn = random.below(places)
    }
    return change
  }
}

/// What DiffAugment does to one picture.
///
/// With x̄ the mean of the whole picture and x̂ that of a pixel's channels, colour turns x into
///
///     contrast · (saturation · (x − x̂) + x̂ − x̄) + x̄ + brightness
///
/// which is Zhao et al.'s brightness, saturation and contrast one behind the other. Then the picture
/// is moved, and a square of it set to 0.
public struct PictureChange: Equatable, Sendable {
  /// −0.5…0.5, added to every value.
  public var brightness: Float
  /// 0…2, a factor of the distance from gray.
  public var saturation: Float
  /// 0.5…1.5, a factor of the distance from the picture's mean.
  public var contrast: Float
  /// Row i shows what was row i + `rowShift`; rows from outside are 0.
  public var rowShift: Int
  /// Likewise for columns.
  public var columnShift: Int
  /// Row of the square's middle; nil where nothing is cut.
  public var cutRow: Int?
  /// Column of the square's middle; nil where nothing is cut.
  public var cutColumn: Int?

  /// No change.
  public static let none = PictureChange(
    brightness: 0, saturation: 1, contrast: 1, rowShift: 0, columnShift: 0)

  /// A change of the given numbers.
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

  /// Pixels by which a picture is moved at most: an eighth of its side.
  static func reach(side: Int) -> Int { (side + 4) / 8 }
  /// Side of the square that is cut: half of the picture's.
  static func cut(side: Int) -> Int { (side + 1) / 2 }

  /// Rows (or columns) of the square around `middle` that lie within the picture.
  static func cutRange(middle: Int?, side: Int) -> Range<Int> {
    guard let middle else { return 0..<0 }
    let first = middle - cut(side: side) / 2
    return max(0, first)..<min(side, first + cut(side: side))
  }

  /// Whether a value keeps its colour exactly.
  var keepsColor: Bool { brightness == 0 && saturation == 1 && contrast == 1 }
}

/// What DiffAugment does to the three batches that the discriminator sees in a step.
public struct BatchChanges: Equatable, Sendable {
  /// One for each real picture.
  public var real: [PictureChange]
  /// One for each fake of the discriminator's step.
  public var fake: [PictureChange]
  /// One for each fake of the generator's step; other ones than above, even where it uses the same
  /// fakes.
  public var own: [PictureChange]

  /// Changes of the given pictures.
  public init(real: [PictureChange], fake: [PictureChange], own: [PictureChange]) {
    self.real = real
    self.fake = fake
    self.own = own
  }
}
