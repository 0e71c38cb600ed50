import BollyGANModel
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// The examples published with FIPS 180-4.
  static let vectors: [(bytes: [UInt8], hash: String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ]

  @Test("the examples of the standard give its hashes", arguments: vectors.indices)
  func examples(index: Int) {
    let (bytes, hash) = Self.vectors[index]
    #expect(SHA256.hex(of: bytes) == hash)
  }

  /// Hashes by Python's hashlib at lengths around which the padding takes another block.
  static let paddings: [(count: Int, hash: String)] = [
    (55, "943cc61860776ca8e78a365d988036ed2ade2ca4aca3236dd9501adc4fbbaa27"),
    (56, "849e6994b02d460680d1d4d9ed690aa35811c88056987e0b6cad0eb85cb7d98d"),
    (63, "4267755c91adbe48467358342d80bda027985cda840cea5aef936cdc0aa6138e"),
    (64, "6cfeeb3aa25d3f411dae5eec17d7369ca7153e72dcf54bcf4c3daec0f5b21fc7"),
    (119, "62f7b490eef6978ea4e047afde0cfd06b542157473c8911d06c787a4de76ef8e"),
    (120, "96a7c72dd059118dbff67391b9e719c6ea49d8985fbc1641fee363dcdee0f7e6"),
  ]

  @Test("the padding fills whole blocks", arguments: paddings.indices)
  func padding(index: Int) {
    let (count, hash) = Self.paddings[index]
    #expect(SHA256.hex(of: [UInt8](repeating: 7, count: count)) == hash)
  }

  @Test("the hash does not depend on how the bytes are divided", arguments: 0...130)
  func pieces(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
    var hash = SHA256()
    for start in stride(from: 0, to: count, by: 23) {
      hash.update(bytes[start..<min(start + 23, count)])
    }
    #expect(hash.hexDigest() == SHA256.hex(of: bytes))
  }
}
