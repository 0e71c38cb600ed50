import BollyGANModel
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

/// Random choices for drawing.
struct Chance {
  private var bits: SplitMix64

  /// A stream of its own for each picture: seed and index each pass the mixing once.
  init(seed: UInt64, index: Int) {
    let own = SplitMix64.mix(seed &+ SplitMix64.increment)
    bits = SplitMix64(seed: SplitMix64.mix(own ^ UInt64(bitPattern: Int64(index))))
  }

  /// Evenly in 0..<1.
  mutating func unit() -> Float {
    Float(bits.next() >> 40) * 0x1p-24
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
