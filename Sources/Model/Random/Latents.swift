/// Latent vectors: what a generator makes pictures from, one row for each.
public struct Latents: Equatable, Sendable {
  /// Number of vectors.
  public let count: Int
  /// Numbers in each (`nz`).
  public let size: Int
  /// `[count, size]`, row-major.
  public let values: [Float]

  /// - Precondition: there are `count · size` values.
  public init(count: Int, size: Int, values: [Float]) {
    precondition(
      values.count == count * size, "\(values.count) values are not \(count) rows of \(size)")
    self.count = count
    self.size = size
    self.values = values
  }

  /// `torch.manual_seed(seed); torch.randn(count, size, 1, 1)`, bit for bit.
  ///
  /// Where `size` is no multiple of 16, the last row depends on `count`: PyTorch draws the last 16
  /// numbers of a tensor again.
  public static func torch(
    seed: Int64, count: Int, size: Int, arithmetic: TorchRandom.Arithmetic = .avx2
  ) -> Latents {
    var random = TorchRandom(seed: seed, arithmetic: arithmetic)
    return Latents(count: count, size: size, values: random.normal(count: count * size))
  }

  /// For each seed the row `numpy.random.RandomState(seed).randn(1, size)`, rounded to float32, as
  /// StyleGAN makes its latents.
  public static func numpy(seeds: [UInt32], size: Int) -> Latents {
    let values = seeds.flatMap { seed in
      var random = NumpyRandom(seed: seed)
      return random.normals(count: size).map(Float.init)
    }
    return Latents(count: seeds.count, size: size, values: values)
  }

  /// The numbers of one vector.
  public subscript(row: Int) -> ArraySlice<Float> {
    values[(row * size)..<((row + 1) * size)]
  }

  /// Every number times `factor`: below 1 it makes faces more alike and more regular (StyleGAN's
  /// truncation acts on another space, its effect is similar).
  public func scaled(by factor: Float) -> Latents {
    factor == 1 ? self : Latents(count: count, size: size, values: values.map { $0 * factor })
  }
}
