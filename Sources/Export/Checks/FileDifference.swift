import BollyGANModel
import BollyGANInfer

/// How two files of weights differ.
public struct FileDifference: Sendable, Encodable {
  /// A tensor that both have.
  public struct TensorDifference: Sendable, Encodable {
    /// Its name.
    public let name: String
    /// Largest difference of two numbers; nil where one of them is not finite and the other is
    /// another.
    public let largest: Double?
    /// How many numbers differ.
    public let count: Int
  }

  /// Two generators, compared by what they do.
  public struct GeneratorDifference: Sendable, Encodable {
    /// Largest difference of two weights after folding normalisations into kernels, which is what
    /// runs.
    public let foldedWeights: Float
    /// Largest difference of two faces' numbers in −1…1.
    public let faces: Float
    /// Faces drawn of each.
    public let count: Int
  }

  /// Tensors that only the first has.
  public let onlyFirst: [String]
  /// Tensors that only the second has.
  public let onlySecond: [String]
  /// Tensors of another shape or kind of number.
  public let otherShape: [String]
  /// Tensors that differ.
  public let tensors: [TensorDifference]
  /// Tensors that are equal.
  public let equal: Int
  /// Both are generators of one shape: how what they do differs.
  public let generators: GeneratorDifference?

  /// Compares.
  public init(_ first: FileContents, _ second: FileContents) {
    let ours = Dictionary(first.tensors.map { ($0.name, $0.tensor) }) { one, _ in one }
    let theirs = Dictionary(second.tensors.map { ($0.name, $0.tensor) }) { one, _ in one }
    onlyFirst = first.tensors.map(\.name).filter { theirs[$0] == nil }
    onlySecond = second.tensors.map(\.name).filter { ours[$0] == nil }
    var otherShape: [String] = []
    var differing: [TensorDifference] = []
    var equal = 0
    for (name, tensor) in first.tensors {
      guard let other = theirs[name] else { continue }
      if tensor == other {
        equal += 1
      } else if tensor.shape == other.shape, let a = tensor.numbers, let b = other.numbers {
        let difference = TensorDifference(name: name, a, b)
        if difference.count == 0 { equal += 1 } else { differing.append(difference) }
      } else {
        otherShape.append(name)
      }
    }
    self.otherShape = otherShape
    self.equal = equal
    tensors = differing
    generators =
      if case .generator(let a) = first.network, case .generator(let b) = second.network,
        a.shape.generatorChannels == b.shape.generatorChannels
      {
        GeneratorDifference(a, b)
      } else {
        nil
      }
  }

  /// Whether the files say the same: two generators, where what they draw and their weights differ
  /// by no more than the tolerance; other files, where that is so of all tensors.
  public func isWithin(_ tolerance: Double) -> Bool {
    if let generators {
      return tolerance > 0
        ? Double(generators.faces) <= tolerance : generators.foldedWeights == 0
    }
    return onlyFirst.isEmpty && onlySecond.isEmpty && otherShape.isEmpty
      && tensors.allSatisfy { $0.largest ?? .infinity <= tolerance }
  }
}

extension FileDifference.TensorDifference {
  init(name: String, _ a: [Double], _ b: [Double]) {
    self.name = name
    var largest: Double? = 0
    var count = 0
    for (x, y) in zip(a, b) where x != y && !(x.isNaN && y.isNaN) {
      count += 1
      let gap = abs(x - y)
      largest = gap.isFinite ? largest.map { max($0, gap) } : nil
    }
    self.largest = largest
    self.count = count
  }
}

extension FileDifference.GeneratorDifference {
  init(_ a: GeneratorWeights, _ b: GeneratorWeights) {
    foldedWeights = zip(a.layers, b.layers).reduce(abs(a.slope - b.slope)) { largest, layers in
      let (x, y) = (
        FoldedLayer(layers.0, outputAxis: 1), FoldedLayer(layers.1, outputAxis: 1)
      )
      let gaps = [
        largestGap(x.kernel.values, y.kernel.values),
        largestGap(x.biases(outputAxis: 1), y.biases(outputAxis: 1)),
      ]
      return gaps.reduce(largest) { $1.isNaN ? .nan : max($0, $1) }
    }
    count = 4
    let latents = ExportCheck.latents(count: count * a.shape.latent)
    faces = largestGap(
      Generator(a).pictures(latents: latents), Generator(b).pictures(latents: latents))
  }
}
