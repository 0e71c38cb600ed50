import BollyGANModel
import BollyGANPictures

/// Cartoon faces as training data, free of copyright.
///
/// Heads, skin colours, hair, eyes, brows, noses, mouths, beards, glasses, clothes, backgrounds,
/// light, tilt and position vary independently, so there is something to learn. The same seed,
/// index and side give the same bytes on every system.
public struct CartoonFaces: Sendable {
  private let seed: UInt64

  /// The faces of a seed.
  public init(seed: UInt64) { self.seed = seed }

  /// Draws face number `index` with `side` x `side` RGB pixels.
  ///
  /// A face looks the same at every size. At 64 pixels it takes about 4 ms.
  ///
  /// - Precondition: `side` is at least 1.
  public func picture(index: Int, side: Int) -> Picture {
    precondition(side > 0, "side is \(side), must be at least 1")
    var random = RandomChoices(seed: seed, index: index)
    let face = CartoonFace(&random)
    var canvas = Canvas(side: side)
    face.draw(on: &canvas)
    return canvas.picture
  }
}

/// The random choices behind one face.
struct RandomChoices {
  private var bits: SplitMix64

  /// A separate stream for each face: seed and index are mixed one after the other.
  init(seed: UInt64, index: Int) {
    let own = SplitMix64.mix(seed &+ SplitMix64.increment)
    bits = SplitMix64(seed: SplitMix64.mix(own ^ UInt64(bitPattern: Int64(index))))
  }

  /// Uniform in 0..<1.
  mutating func unit() -> Float {
    Float(bits.next() >> 40) * 0x1p-24
  }

  /// Uniform between two numbers.
  mutating func between(_ low: Float, _ high: Float) -> Float { low + (high - low) * unit() }

  /// Bell-shaped in −1…1 around 0, from three uniform numbers.
  mutating func bell() -> Float { (unit() + unit() + unit()) * (2 / 3) - 1 }

  /// True with the given probability.
  mutating func happens(_ probability: Float) -> Bool { unit() < probability }

  mutating func one<Choice>(of choices: [Choice]) -> Choice {
    choices[Int(unit() * Float(choices.count))]
  }

  /// One of the choices, with probabilities proportional to their weights.
  mutating func one<Choice>(weighted choices: [(Choice, Float)]) -> Choice {
    var rest = unit() * choices.reduce(0) { $0 + $1.1 }
    for (choice, weight) in choices {
      rest -= weight
      if rest < 0 { return choice }
    }
    return choices.last!.0
  }
}
