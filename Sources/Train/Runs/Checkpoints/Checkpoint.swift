import BollyGANModel
import BollyGANTraining

/// The complete state of a run between two steps: a resumed run continues as if it had never
/// stopped.
package struct Checkpoint: Equatable, Sendable {
  /// Both networks and their optimizers.
  package var state: TrainingState
  /// The generator's moving average, if the run keeps one.
  package var average: GeneratorWeights?
  /// State of the random number stream.
  package var random: [UInt8]
  /// Steps made.
  package var step: Int
  /// The epoch in progress, counted from 1.
  package var epoch: Int
  /// Batches of it that are done.
  package var position: Int
  /// The images in the order of this epoch; empty if the epoch has not begun.
  package var order: [Int]
  /// Sums of losses and scores over this epoch's steps, in the order of ``StepLosses``.
  package var sums: [Double]
  /// The memory of the divergence guard.
  package var guardMemory: DivergenceGuard.Memory
  /// Rollbacks before this checkpoint was written.
  package var rollbacks: Int
  /// The best quality measurement so far, if any.
  package var best: BestQuality?
  /// Hash of the run's definition.
  package var definition: String
  /// Version, engine, instruction set and threads that wrote it, for information only.
  package var origin: [String: String]

  package init(
    state: TrainingState, average: GeneratorWeights?, random: [UInt8], step: Int, epoch: Int,
    position: Int, order: [Int], sums: [Double], guardMemory: DivergenceGuard.Memory,
    rollbacks: Int = 0, best: BestQuality? = nil, definition: String, origin: [String: String]
  ) {
    self.state = state
    self.average = average
    self.random = random
    self.step = step
    self.epoch = epoch
    self.position = position
    self.order = order
    self.sums = sums
    self.guardMemory = guardMemory
    self.rollbacks = rollbacks
    self.best = best
    self.definition = definition
    self.origin = origin
  }
}

/// Why a file is not a usable checkpoint of this run.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The file is damaged; none of its bytes can be trusted.
  case damaged(String)
  /// The checkpoint is intact but belongs to another run.
  case otherDefinition
  /// A value to write is not finite.
  case notFinite(String)

  package var description: String {
    switch self {
    case .damaged(let problem): "damaged: \(problem)"
    case .otherDefinition: "belongs to a different run than run.json describes"
    case .notFinite(let tensor): "\(tensor) is not finite"
    }
  }
}

extension Checkpoint {
  /// Version of the file's layout, raised when an older reader would misread a newer file.
  private static let layout = "1"
  private static let hashKey = "bollygan.sha256"
  private static let noHash = String(repeating: "0", count: 64)

  /// The checkpoint as the bytes of one safetensors file.
  ///
  /// Its metadata contain the SHA-256 of the whole file with 64 zeros in place of the hash.
  ///
  /// - Throws: ``CheckpointError/notFinite(_:)``. No run could continue from such a state.
  package func encoded() throws(CheckpointError) -> [UInt8] {
    var tensors: [String: StoredTensor] = [:]
    func add(_ prefix: String, _ file: SafetensorsFile) {
      for (name, tensor) in file.tensors { tensors["\(prefix).\(name)"] = tensor }
    }
    func add(_ prefix: String, _ optimizer: OptimizerState) {
      tensors["\(prefix).step"] = StoredTensor(int64: [Int64(optimizer.step)], shape: [])
      for (kind, moments) in [
        ("exp_avg", optimizer.firstMoments), ("exp_avg_sq", optimizer.secondMoments),
      ] {
        for (name, tensor) in moments {
          tensors["\(prefix).\(kind).\(name)"] = StoredTensor(tensor)
        }
      }
    }
    add("generator", state.generator.file())
    add("discriminator", state.discriminator.file())
    add("opt_g", state.generatorOptimizer)
    add("opt_d", state.discriminatorOptimizer)
    if let average { add("average", average.file()) }
    for (name, vectors) in state.spectral {
      // The names of torch.nn.utils.spectral_norm.
      for (end, vector) in [("u", vectors.left), ("v", vectors.right)] {
        tensors["spectral.\(name)_\(end)"] = StoredTensor(
          Tensor(shape: [vector.count], values: vector))
      }
    }
    for (name, tensor) in tensors where tensor.type == .f32 && !tensor.isFinite {
      throw .notFinite(name)
    }
    tensors["random"] = StoredTensor(bytes: random)
    tensors["order"] = StoredTensor(int64: order.map(Int64.init), shape: [order.count])
    tensors["sums"] = StoredTensor(sums, shape: [sums.count])
    let memory = guardMemory.values
    tensors["guard"] = StoredTensor(memory, shape: [memory.count])

    var metadata = origin
    metadata["bollygan.checkpoint"] = Self.layout
    metadata["bollygan.step"] = "\(step)"
    metadata["bollygan.epoch"] = "\(epoch)"
    metadata["bollygan.position"] = "\(position)"
    if rollbacks > 0 { metadata["bollygan.rollbacks"] = "\(rollbacks)" }
    metadata["bollygan.definition"] = definition
    if let best {
      metadata["bollygan.best_step"] = "\(best.step)"
      metadata["bollygan.best_figure"] = "\(best.value)"
    }
    metadata[Self.hashKey] = Self.noHash
    var bytes = SafetensorsFile(metadata: metadata, tensors: tensors).encoded()
    guard let place = Self.placeOfHash(in: bytes) else {
      preconditionFailure("the new file has no place for its hash")
    }
    bytes.replaceSubrange(place, with: SHA256.hex(of: bytes).utf8)
    return bytes
  }

  /// Reads the bytes of a checkpoint.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - shape: The sizes of the run's networks.
  ///   - definition: Hash of the run's definition; nil accepts any.
  package init(
    bytes: [UInt8], shape: DCGANShape, definition expected: String?
  ) throws(CheckpointError) {
    do {
      try self.init(checked: try Self.checkedFile(bytes), shape: shape)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .damaged("\(error)")
    }
    if let expected, expected != definition { throw .otherDefinition }
  }

  /// Reads a checkpoint's file.
  ///
  /// - Throws: ``CheckpointError`` if its content is unusable, `FileError` if the system cannot
  ///   read it.
  init(path: String, shape: DCGANShape, definition: String?) throws {
    let bytes: [UInt8]
    do {
      bytes = try readFile(path, limit: Self.sizeLimit)
    } catch FileError.tooLarge {
      throw CheckpointError.damaged("too large")
    }
    try self.init(bytes: bytes, shape: shape, definition: definition)
  }

  /// Largest file in bytes that is read as a checkpoint.
  private static let sizeLimit = 4 << 30

  /// The file's content, once its checksum shows that every byte is as it was written.
  private static func checkedFile(_ bytes: [UInt8]) throws -> SafetensorsFile {
    let file = try SafetensorsFile(bytes: bytes)
    guard let hash = file.metadata[hashKey], let place = placeOfHash(in: bytes) else {
      throw CheckpointError.damaged("no checksum")
    }
    var blank = bytes
    blank.replaceSubrange(place, with: noHash.utf8)
    guard SHA256.hex(of: blank) == hash else {
      throw CheckpointError.damaged("its checksum does not match its content")
    }
    guard file.metadata["bollygan.checkpoint"] == layout else {
      throw CheckpointError.damaged("its layout is not version \(layout)")
    }
    return file
  }

  /// The position of the 64 digits of the hash. The header is strict JSON, where quotation marks
  /// within strings are escaped, so the sequence searched for cannot be anything else.
  private static func placeOfHash(in bytes: [UInt8]) -> Range<Int>? {
    let key = Array("\"\(hashKey)\":\"".utf8)
    let header = bytes.prefix(SafetensorsFile.Limits.headerByteCount + 8)
    var start = 0
    while let quote = header[start...].firstIndex(of: key[0]) {
      if header[quote...].starts(with: key) {
        let place = quote + key.count..<quote + key.count + noHash.utf8.count
        return place.upperBound <= header.count ? place : nil
      }
      start = quote + 1
    }
    return nil
  }

  private init(checked file: SafetensorsFile, shape: DCGANShape) throws {
    func tensor(_ name: String) throws -> StoredTensor {
      guard let tensor = file.tensors[name] else {
        throw WeightsError.missing(tensor: name, network: "checkpoint")
      }
      return tensor
    }
    func part(_ prefix: String) -> [String: StoredTensor] {
      let found = file.tensors.filter { $0.key.hasPrefix(prefix + ".") }
      return Dictionary(
        uniqueKeysWithValues: found.map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
    }
    func moments(_ prefix: String) throws -> [String: Tensor] {
      var moments: [String: Tensor] = [:]
      for (name, tensor) in part(prefix) {
        moments[name] = Tensor(shape: tensor.shape, values: try tensor.floats(name: name))
      }
      return moments
    }
    func optimizer(_ prefix: String) throws -> OptimizerState {
      let steps = try tensor("\(prefix).step").int64s()
      guard steps.count == 1 else { throw CheckpointError.damaged("\(prefix).step has no value") }
      return OptimizerState(
        firstMoments: try moments("\(prefix).exp_avg"),
        secondMoments: try moments("\(prefix).exp_avg_sq"), step: Int(steps[0]))
    }
    func number(_ name: String) throws -> Int {
      guard let text = file.metadata["bollygan.\(name)"], let value = Int(text), value >= 0 else {
        throw CheckpointError.damaged("\(name) is missing")
      }
      return value
    }
    func generator(_ prefix: String) throws -> GeneratorWeights {
      let weights = try GeneratorWeights(SafetensorsFile(tensors: part(prefix)))
      guard weights.shape.generatorChannels == shape.generatorChannels else {
        throw CheckpointError.damaged("its generator has a different shape")
      }
      return GeneratorWeights(shape: shape, layers: weights.layers)
    }
    let vectors = part("spectral")
    func spectral() throws -> [String: SpectralVectors] {
      var found: [String: SpectralVectors] = [:]
      for (name, left) in vectors where name.hasSuffix("_u") {
        let kernel = String(name.dropLast(2))
        guard let right = vectors["\(kernel)_v"] else {
          throw WeightsError.missing(tensor: "spectral.\(kernel)_v", network: "checkpoint")
        }
        found[kernel] = SpectralVectors(
          left: try left.floats(name: name), right: try right.floats(name: name))
      }
      return found
    }
    let discriminator = try DiscriminatorWeights(SafetensorsFile(tensors: part("discriminator")))
    guard discriminator.shape.discriminatorChannels == shape.discriminatorChannels else {
      throw CheckpointError.damaged("its discriminator has a different shape")
    }
    state = TrainingState(
      generator: try generator("generator"),
      discriminator: DiscriminatorWeights(
        shape: shape, normalisesFirst: discriminator.normalisesFirst,
        normalises: discriminator.normalises, layers: discriminator.layers),
      generatorOptimizer: try optimizer("opt_g"), discriminatorOptimizer: try optimizer("opt_d"),
      spectral: try spectral())
    average = part("average").isEmpty ? nil : try generator("average")
    random = Array(try tensor("random").bytes)
    order = try tensor("order").int64s().map(Int.init)
    sums = try tensor("sums").doubles()
    let remembered = try tensor("guard")
    // Older checkpoints hold four counts of an earlier guard, which are of no use to this one.
    if remembered.type == .i64 {
      guardMemory = DivergenceGuard.Memory()
    } else {
      guard let memory = DivergenceGuard.Memory(values: try remembered.doubles()) else {
        throw CheckpointError.damaged("unexpected values in guard")
      }
      guardMemory = memory
    }
    rollbacks = file.metadata["bollygan.rollbacks"] == nil ? 0 : try number("rollbacks")
    step = try number("step")
    epoch = try number("epoch")
    position = try number("position")
    if file.metadata["bollygan.best_step"] != nil {
      guard let value = file.metadata["bollygan.best_figure"].flatMap(Double.init) else {
        throw CheckpointError.damaged("best_figure is missing")
      }
      best = BestQuality(step: try number("best_step"), value: value)
    }
    guard sums.count == 5, epoch > 0 else { throw CheckpointError.damaged("counters are missing") }
    definition = file.metadata["bollygan.definition"] ?? ""
    let own = [
      "checkpoint", "step", "epoch", "position", "rollbacks", "definition", "sha256", "best_step",
      "best_figure",
    ]
    origin = file.metadata.filter { key, _ in
      key.hasPrefix("bollygan.") && !own.contains(String(key.dropFirst("bollygan.".count)))
    }
  }
}

extension StoredTensor {
  /// Whether every number of an F32 tensor is finite: no exponent has all of its bits set.
  fileprivate var isFinite: Bool {
    let bytes = bytes.span
    var index = 3
    while index < bytes.count {
      if bytes[index] & 0x7F == 0x7F && bytes[index - 1] & 0x80 == 0x80 { return false }
      index += 4
    }
    return true
  }
}
