import BollyGANPictures

/// Drawn faces to try training with: no photographs, no rights in them.
///
/// Heads, skins, hair, eyes, brows, noses, mouths, beards, glasses, clothes, backgrounds, light,
/// tilt and place vary independently, so that there is something to learn; everything else is
/// plain. The same seed, index and side give the same bytes on every system.
public struct CartoonFaces: Sendable {
  private let seed: UInt64

  /// The faces of a seed.
  public init(seed: UInt64) { self.seed = seed }

  /// Face number `index`, `side` x `side` pixels of RGB.
  ///
  /// A face looks the same at any size. Takes about 4 ms at 64 pixels.
  ///
  /// - Precondition: `side` is at least 1.
  public func picture(index: Int, side: Int) -> Picture {
    precondition(side > 0, "no picture has \(side) pixels a side")
    var random = Chance(seed: seed, index: index)
    let face = CartoonFace(&random)
    var canvas = Canvas(side: side)
    face.draw(on: &canvas)
    return canvas.picture
  }
}

/// Steele, Lea and Flood's SplitMix64 (OOPSLA 2014), with what drawing asks of it.
struct Chance {
  private var state: UInt64

  /// A stream of its own for each picture: seed and index each pass the mixing once.
  init(seed: UInt64, index: Int) {
    state = Chance.mixed(
      Chance.mixed(seed &+ 0x9e37_79b9_7f4a_7c15) ^ UInt64(bitPattern: Int64(index)))
  }

  private static func mixed(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Evenly in 0..<1.
  mutating func unit() -> Float {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Float(Chance.mixed(state) >> 40) * 0x1p-24
  }

  /// Evenly between two numbers.
  mutating func between(_ low: Float, _ high: Float) -> Float { low + (high - low) * unit() }

  /// Around 0 and within −1…1, the middle more often than the ends: three even draws.
  mutating func bell() -> Float { (unit() + unit() + unit()) * (2 / 3) - 1 }

  mutating func happens(_ share: Float) -> Bool { unit() < share }

  mutating func one<Choice>(of choices: [Choice]) -> Choice {
    choices[Int(unit() * Float(choices.count))]
  }

  /// One of the choices, in proportion to their weights.
  mutating func one<Choice>(weighted choices: [(Choice, Float)]) -> Choice {
    var rest = unit() * choices.reduce(0) { $0 + $1.1 }
    for (choice, weight) in choices {
      rest -= weight
      if rest < 0 { return choice }
    }
    return choices.last!.0
  }
}
