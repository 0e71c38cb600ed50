import BollyGANModel
import BollyGANTerminal

/// Latent vectors, handed out in order and drawn only then, so that a million of them take no
/// memory.
struct LatentSource {
  /// What determines the latents, and so what a picture has to say to be drawn again.
  enum Origin {
    /// `torch.manual_seed(seed); torch.randn(count, size, 1, 1)`
    case torch(seed: Int64)
    /// For each `numpy.random.RandomState(seed).randn(1, size)`.
    case numpy(seeds: [UInt32])
    /// A file of latents, by its content's SHA-256 in hexadecimal.
    case file(name: String, sha256: String)
    /// Between `count` latents of another origin.
    indirect case walk(between: Origin, count: Int, steps: Int, isLinear: Bool, isLoop: Bool)
  }

  let origin: Origin
  /// Latents in all.
  let count: Int
  /// Numbers in one.
  let size: Int
  /// Factor of all numbers.
  let truncation: Float

  /// Latents handed out so far.
  private(set) var position = 0
  private var torch: TorchNormals?
  private var stored: [Float] = []
  private var walk: Walk?

  init(seed: Int64, count: Int, size: Int, truncation: Float) {
    origin = .torch(seed: seed)
    (self.count, self.size, self.truncation) = (count, size, truncation)
    torch = TorchNormals(seed: seed, count: count * size)
  }

  init(seeds: [UInt32], size: Int, truncation: Float) {
    origin = .numpy(seeds: seeds)
    (count, self.size, self.truncation) = (seeds.count, size, truncation)
  }

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

  /// The latents on a way between some others, whose truncation they have.
  init(walk: Walk, between ends: LatentSource) {
    origin = .walk(
      between: ends.origin, count: ends.count, steps: walk.steps, isLinear: walk.isLinear,
      isLoop: walk.isLoop)
    (count, size, truncation) = (walk.count, walk.size, ends.truncation)
    self.walk = walk
  }

  private static let byteLimit = 1 << 30

  /// The next latents, `[n, size]`: `limit` of them, or as many as are left.
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

/// The numbers of one `torch.randn` of known length, drawn piece by piece.
///
/// torch transforms blocks of 16 and, where the last is not full, draws the last 16 numbers again.
/// So all pieces but the last are whole blocks, and the last holds at least 16.
struct TorchNormals {
  private var random: TorchRandom
  private var left: Int
  private var waiting: ArraySlice<Float> = []

  init(seed: Int64, count: Int) {
    random = TorchRandom(seed: seed)
    left = count
  }

  /// The next numbers.
  ///
  /// - Precondition: there are so many.
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
