import BollyGANModel
import BollyGANTerminal

/// Latents in order. They are drawn on demand, so a million of them need no memory.
struct LatentSource {
  /// What determines the latents, and must be recorded in an image file to draw it again.
  enum Origin {
    /// `torch.manual_seed(seed); torch.randn(count, size, 1, 1)`
    case torch(seed: Int64)
    /// `numpy.random.RandomState(seed).randn(1, size)` for each seed.
    case numpy(seeds: [UInt32])
    /// A file of latents, and the SHA-256 of its content in hexadecimal.
    case file(name: String, sha256: String)
    /// A walk between `count` latents of another origin.
    indirect case walk(between: Origin, count: Int, steps: Int, isLinear: Bool, isLoop: Bool)
  }

  let origin: Origin
  /// The number of latents.
  let count: Int
  /// The size of a latent.
  let size: Int
  /// The factor of all latents.
  let truncation: Float

  /// Latents returned so far.
  private(set) var position = 0
  /// The random numbers of `.torch`.
  private var torch: TorchNormals?
  /// The latents of `.file`, `[count, size]`.
  private var stored: [Float] = []
  /// The path of `.walk`.
  private var walk: Walk?

  /// PyTorch's latents of one seed.
  init(seed: Int64, count: Int, size: Int, truncation: Float) {
    origin = .torch(seed: seed)
    (self.count, self.size, self.truncation) = (count, size, truncation)
    torch = TorchNormals(seed: seed, count: count * size)
  }

  /// NumPy's latents, one for each seed.
  init(seeds: [UInt32], size: Int, truncation: Float) {
    origin = .numpy(seeds: seeds)
    (count, self.size, self.truncation) = (seeds.count, size, truncation)
  }

  /// The latents of a file, or of standard input if its name is `-`.
  ///
  /// - Throws: If the file cannot be read or its latents do not have the given size.
  init(file: String, size: Int, truncation: Float) throws(CommandFailure) {
    let (latents, hash) = try CommandFailure.reading(file) { () throws in
      let bytes = try readFile(file, limit: Self.byteLimit)
      let latents = try Latents(bytes: bytes)
      try latents.check(size: size)
      return (latents, SHA256.hex(of: bytes))
    }
    let name = file == "-" ? "standard input" : file
    origin = .file(name: name, sha256: hash)
    (count, self.size, self.truncation) = (latents.count, size, truncation)
    stored = latents.values
  }

  /// The latents of a walk between others, whose truncation already applies.
  init(walk: Walk, between ends: LatentSource) {
    origin = .walk(
      between: ends.origin, count: ends.count, steps: walk.steps, isLinear: walk.isLinear,
      isLoop: walk.isLoop)
    (count, size, truncation) = (walk.count, walk.size, ends.truncation)
    self.walk = walk
  }

  /// The largest file of latents: 1 GiB.
  private static let byteLimit = 1 << 30

  /// The next latents, `[n, size]`: at most `limit`, none at the end.
  mutating func next(_ limit: Int) -> [Float] {
    let faces = position..<min(count, position + limit)
    position = faces.upperBound
    var values: [Float]
    switch origin {
    case .torch: values = torch!.next(faces.count * size)
    case .numpy(let seeds):
      values = Latents.numpy(seeds: Array(seeds[faces]), size: size).values
    case .file: values = Array(stored[faces.lowerBound * size..<faces.upperBound * size])
    case .walk: return faces.flatMap { walk![$0] }
    }
    if truncation != 1 {
      for index in values.indices { values[index] *= truncation }
    }
    return values
  }
}

/// The random numbers of a single `torch.randn` of known length, drawn piece by piece.
///
/// torch.randn works in blocks of 16 and, if the last block is not full, draws the last 16 numbers
/// again. So every piece but the last consists of whole blocks, and the last piece has at least 16
/// numbers.
struct TorchNormals {
  private var random: TorchRandom
  /// Numbers that are still to be drawn.
  private var left: Int
  /// Numbers that are drawn but not yet returned.
  private var waiting: ArraySlice<Float> = []

  /// The numbers of `torch.manual_seed(seed); torch.randn(count)`.
  init(seed: Int64, count: Int) {
    random = TorchRandom(seed: seed)
    left = count
  }

  /// The next `count` numbers.
  ///
  /// - Precondition: At least `count` numbers are left.
  mutating func next(_ count: Int) -> [Float] {
    if waiting.count < count {
      var piece = (count - waiting.count + 15) / 16 * 16
      if left - piece < 16 { piece = left }
      left -= piece
      waiting = waiting + random.normal(count: piece)
    }
    let result = Array(waiting.prefix(count))
    waiting = waiting.dropFirst(count)
    return result
  }
}
