/// Latent vectors, from which a generator makes one image each.
public struct Latents: Equatable, Sendable {
  /// The number of vectors.
  public let count: Int
  /// The length of each vector (`nz`).
  public let size: Int
  /// The numbers, `[count, size]`, row-major.
  public let values: [Float]

  /// Latents with the given numbers.
  ///
  /// - Precondition: There are `count · size` values.
  public init(count: Int, size: Int, values: [Float]) {
    precondition(
      values.count == count * size, "\(values.count) values do not fill \(count) rows of \(size)")
    self.count = count
    self.size = size
    self.values = values
  }

  /// The numbers of `torch.manual_seed(seed); torch.randn(count, size, 1, 1)`, bit for bit.
  ///
  /// If `count · size` is not a multiple of 16, the last row depends on `count`, because PyTorch
  /// redraws the last 16 numbers of a tensor.
  public static func torch(
    seed: Int64, count: Int, size: Int, arithmetic: TorchRandom.Arithmetic = .avx2
  ) -> Latents {
    var random = TorchRandom(seed: seed, arithmetic: arithmetic)
    return Latents(count: count, size: size, values: random.normal(count: count * size))
  }

  /// One row per seed: `numpy.random.RandomState(seed).randn(1, size)`, rounded to float32.
  ///
  /// StyleGAN draws its latents in the same way.
  public static func numpy(seeds: [UInt32], size: Int) -> Latents {
    let values = seeds.flatMap { seed in
      var random = NumpyRandom(seed: seed)
      return random.normals(count: size).map(Float.init)
    }
    return Latents(count: seeds.count, size: size, values: values)
  }

  /// One vector.
  public subscript(row: Int) -> ArraySlice<Float> {
    values[(row * size)..<((row + 1) * size)]
  }

  /// The latents multiplied by a factor.
  ///
  /// A factor below 1 makes faces more regular and more alike, much like StyleGAN's truncation,
  /// which works in another space.
  public func scaled(by factor: Float) -> Latents {
    factor == 1 ? self : Latents(count: count, size: size, values: values.map { $0 * factor })
  }
}
