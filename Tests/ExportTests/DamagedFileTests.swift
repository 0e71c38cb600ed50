import BollyGANExport
import BollyGANInfer
import BollyGANModel
import TestSupport
import Testing

/// A parsed message in protobuf's wire format, whose lengths stay correct whatever changes inside
/// it.
private struct WireTree {
  struct Field {
    var number: UInt64
    var content: Content
  }

  indirect enum Content {
    case varint(UInt64)
    /// Four or eight bytes.
    case fixed([UInt8])
    case bytes([UInt8])
    case message(WireTree)
  }

  var fields: [Field] = []

  /// Parses a message; nil if the bytes are not one.
  init?(_ bytes: ArraySlice<UInt8>, depth: Int = 0) {
    var rest = bytes
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 70, by: 7) {
        guard let byte = rest.popFirst() else { return nil }
        value |= UInt64(byte & 127) << shift
        if byte < 128 { return value }
      }
      return nil
    }
    while !rest.isEmpty {
      guard let tag = varint(), tag >> 3 > 0 else { return nil }
      let content: Content
      switch tag & 7 {
      case 0:
        guard let value = varint() else { return nil }
        content = .varint(value)
      case 1, 5:
        let count = tag & 7 == 1 ? 8 : 4
        guard rest.count >= count else { return nil }
        content = .fixed(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      case 2:
        guard let count = varint(), count <= UInt64(rest.count) else { return nil }
        let block = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        if depth < 8, !block.isEmpty, let message = WireTree(block, depth: depth + 1) {
          content = .message(message)
        } else {
          content = .bytes(Array(block))
        }
      default: return nil
      }
      fields.append(Field(number: tag >> 3, content: content))
    }
  }

  var bytes: [UInt8] {
    WireMessage { message in
      for field in fields {
        let number = Int(truncatingIfNeeded: field.number)
        switch field.content {
        case .varint(let value): message.number(number, value)
        case .fixed(let bytes):
          message.tag(number, wire: bytes.count == 8 ? 1 : 5)
          message.raw(bytes)
        case .bytes(let bytes): message.block(number, bytes)
        case .message(let tree): message.block(number, tree.bytes)
        }
      }
    }.bytes
  }

  /// Changes, duplicates, moves, removes or replaces a field somewhere in the tree.
  mutating func spoil(_ damage: inout Damage) {
    let index = damage.below(fields.count)
    guard index < fields.count else { return }
    if case .message(var tree) = fields[index].content, damage.below(8) > 0 {
      tree.spoil(&damage)
      fields[index].content = .message(tree)
      return
    }
    switch damage.below(6) {
    case 0: fields.remove(at: index)
    case 1: fields.insert(fields[index], at: damage.below(fields.count + 1))
    case 2: fields.swapAt(index, damage.below(fields.count))
    case 3: fields[index].number = UInt64(1 + damage.below(24))
    case 4: fields[index].content = fields[damage.below(fields.count)].content
    default:
      switch fields[index].content {
      case .varint(let value):
        fields[index].content = .varint(
          damage.below(2) == 0 ? damage.edge() : value &+ UInt64(damage.below(5)) &- 2)
      case .fixed(let bytes): fields[index].content = .fixed(damage.junk(bytes.count))
      case .bytes(var bytes):
        damage.spoil(&bytes, head: 32)
        fields[index].content = .bytes(bytes)
      case .message: fields[index].content = .bytes(damage.junk(damage.below(9)))
      }
    }
  }
}

/// A file, and how to damage it without breaking the lengths that readers check first.
private struct Specimen: Sendable, CustomTestStringConvertible {
  let name: String
  let bytes: [UInt8]
  var testDescription: String { name }

  /// The file with a few mistakes.
  func spoiled(_ damage: inout Damage) -> [UInt8] {
    if damage.below(2) == 0 { return blind(bytes, head: 200, &damage) }
    if name.hasSuffix(".onnx"), var tree = WireTree(bytes[...]) {
      for _ in 0...damage.below(3) { tree.spoil(&damage) }
      return tree.bytes
    }
    if name.hasSuffix(".pth"), let pickle = pickle {
      let files = [
        ("a/data.pkl", blind(Array(bytes[pickle]), head: 600, &damage)),
        ("a/data/0", damage.junk(16 * (1 + damage.below(9)))),
      ]
      // If the length is unchanged, replace it in place, so that the storages still fit.
      guard files[0].1.count == pickle.count else { return StoredZip(files: files).bytes }
      return bytes[..<pickle.lowerBound] + files[0].1 + bytes[pickle.upperBound...]
    }
    // A header after its length: two or four bytes at offset 8, or eight at offset 0.
    let (place, size) = name.hasSuffix(".npy") ? (8, bytes[6] == 1 ? 2 : 4) : (0, 8)
    let count = (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    let begin = place + size
    let header = blind(Array(bytes[begin..<(begin + count)]), head: count, &damage)
    return bytes[..<place] + StoredZip.little(header.count, size) + header
      + bytes[(begin + count)...]
  }

  /// Damages bytes regardless of the format.
  private func blind(_ bytes: [UInt8], head: Int, _ damage: inout Damage) -> [UInt8] {
    var bytes = bytes
    for _ in 0...damage.below(4) { damage.spoil(&bytes, head: head) }
    return bytes
  }

  /// The range of the first file of a zip archive, the pickle.
  private var pickle: Range<Int>? {
    func number(_ place: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    let list = number(bytes.count - 6, 4)
    let begin = number(list + 42, 4)
    let data = begin + 30 + number(begin + 26, 2) + number(begin + 28, 2)
    let range = data..<(data + number(list + 24, 4))
    return bytes[range].starts(with: [0x80]) ? range : nil
  }
}

/// Thousands of damaged files; `make gate` tries a hundred times as many. A crash ends the whole
/// run.
@Suite("Damaged weights and latents")
struct DamagedFileTests {
  static let rounds = Damage.isThorough ? 30_000 : 300

  private static func specimens(_ names: [String]) -> [Specimen] {
    names.map { Specimen(name: $0, bytes: try! Fixtures.bytes($0)) }
  }

  private static let small = GeneratorWeights.random(
    try! DCGANShape(latent: 2, generatorWidth: 1, side: 32, channels: 3))

  private static let networks: [Specimen] =
    specimens([
      "by-hand.onnx", "torch-new-half.onnx", "torch-new-index-18.onnx", "torch-old-9.onnx",
      "torch-old-unflatten-slim.onnx", "torch-new-leaky-bias-sigmoid.onnx", "torch-new-view.onnx",
      "state-dict.pth", "checkpoint.pth", "protocol-4.pth", "views.pth", "half.pth",
    ])
    + specimens(
      [
        "article_g", "bfloat_g", "half_g", "old_g", "tutorial_g", "small_d", "article_d",
      ].map { "../../ModelTests/Fixtures/\($0).safetensors" })
    + ONNXExportOptions.Storage.allCases.map { storage in
      var options = ONNXExportOptions()
      options.storage = storage
      options.keepsNorm = storage == .bf16
      options.latentRank = storage == .f16 ? 2 : 4
      options.range = storage == .int8 ? .bytes : .signed
      options.layout = storage == .int8 ? .nhwc : .nchw
      return Specimen(
        name: "\(storage).onnx", bytes: try! small.onnxModel(options).encoded())
    } + [
      Specimen(
        name: "discriminator.onnx", bytes: try! DiscriminatorTests.weights.onnxModel().encoded())
    ]

  @Test("are refused with a message or read as a working network", arguments: networks)
  fileprivate func network(_ specimen: Specimen) throws {
    var damage = Damage(seed: 3)
    var outcomes = (read: 0, refused: 0)
    for round in 0..<Self.rounds {
      let bytes = specimen.spoiled(&damage)
      let begin = threadSeconds()
      let file: GeneratorFile
      do {
        file = try GeneratorFile(bytes)
      } catch {
        outcomes.refused += 1
        #expect(!"\(error)".isEmpty)
        // It may still be a discriminator, or at least a valid model.
        if let model = try? ONNXModel(bytes: bytes) {
          _ = try? model.network(DiscriminatorWeights.self)
        }
        if let file = try? SafetensorsFile(bytes: bytes) {
          _ = try? DiscriminatorWeights.load(file.tensors)
        }
        #expect(threadSeconds() - begin < 1, "round \(round)")
        continue
      }
      #expect(threadSeconds() - begin < 1, "round \(round)")
      outcomes.read += 1
      // It is a complete generator: it can be saved and read again.
      let again = try GeneratorFile(file.weights.file().encoded())
      #expect(again.weights == file.weights, "round \(round)")
      guard round % 8 == 0 else { continue }
      let shape = file.weights.shape
      let faces = Generator(file.weights).pictures(
        latents: [Float](repeating: 0.5, count: shape.latent))
      #expect(faces.count == shape.channels * shape.side * shape.side)
    }
    // Otherwise the damage is too slight to test anything.
    #expect(outcomes.refused > Self.rounds / 20, "\(outcomes)")
  }

  private static let latents: [Specimen] =
    specimens(
      ["f2", "f4", "f8", "latents", "vector", "version2"].map {
        "../../ModelTests/Fixtures/\($0).npy"
      }) + [
      Specimen(
        name: "latents.safetensors",
        bytes: Latents(count: 2, size: 2, values: [1, 2, 3, 4]).safetensors.encoded())
    ]

  @Test("are refused with a message or read as finite numbers", arguments: latents)
  fileprivate func numbers(_ specimen: Specimen) throws {
    var damage = Damage(seed: 4)
    var refused = 0
    // These files are small enough for more rounds.
    for round in 0..<(5 * Self.rounds) {
      let bytes = specimen.spoiled(&damage)
      do throws(LatentsError) {
        let latents = try Latents(bytes: bytes)
        #expect(latents.values.count == latents.count * latents.size, "round \(round)")
        let isFinite = latents.values.allSatisfy(\.isFinite)
        #expect(isFinite, "round \(round)")
        let again = try Latents(bytes: latents.npy.encoded())
        #expect(again == latents)
      } catch {
        refused += 1
        #expect(!error.description.isEmpty)
      }
    }
    #expect(refused > Self.rounds / 4)
  }
}
