import BollyGANModel
import Testing

/// The bytes of a file with the given header and a number of zero bytes as data.
private func file(_ header: String, data: Int = 0) -> [UInt8] {
  file(header: Array(header.utf8), data: data)
}

private func file(header: [UInt8], data: Int = 0) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
    + [UInt8](repeating: 0, count: data)
}

/// A header entry of float32 numbers.
private func entry(_ name: String, _ shape: String, _ offsets: String) -> String {
  "\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

@Suite("Reading safetensors files")
struct SafetensorsReadingTests {
  @Test("equivalent JSON spellings of a header are accepted")
  func spellings() throws {
    let spellings = [
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
      "{ \"a\" :\n{ \"data_offsets\" : [ 0 , 8 ] ,\t\"shape\":[ 2, 1 ],\r\"dtype\":\"F32\" } }   ",
      "{\"\\u0061\":{\"dt\\u0079pe\":\"\\u00463\\u0032\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
      "{\"__metadata__\":{},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
    ]
    for header in spellings {
      let read = try SafetensorsFile(bytes: file(header, data: 8))
      #expect(read.tensors.keys.sorted() == ["a"])
      #expect(read.tensors["a"]?.shape == [2, 1])
      #expect(read.tensors["a"]?.type == .f32)
    }
  }

  @Test("escapes in text are resolved")
  func escapes() throws {
    let header =
      "{\"__metadata__\":{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t"
      + "\\u00e9\\u20AC\\ud83d\\uDE00é€\u{7f}\"}}"
    let read = try SafetensorsFile(bytes: file(header))
    #expect(read.metadata["a"] == "\"\\/\u{8}\u{c}\n\r\té€😀é€\u{7f}")
  }

  @Test("empty tensors and scalars are read")
  func empties() throws {
    let header =
      "{" + entry("none", "[3,0]", "[0,0]") + "," + entry("scalar", "[]", "[0,4]") + ","
      + entry("also none", "[0]", "[4,4]") + "}"
    let read = try SafetensorsFile(bytes: file(header, data: 4))
    #expect(read.tensors["none"]?.count == 0)
    #expect(read.tensors["scalar"]?.shape == [])
    #expect(try read.tensors["scalar"]?.floats() == [0])
    #expect(read.tensors["also none"]?.shape == [0])
  }

  /// The kind of an expected error, without its details.
  enum Kind: Sendable, Equatable {
    case tooShort, headerLength, syntax, text, duplicate, tooManyTensors, entry, overflow, outside
    case length, notContiguous, trailingBytes, other

    init(_ error: WeightsError) {
      self =
        switch error {
        case .tooShort: .tooShort
        case .headerLength: .headerLength
        case .syntax: .syntax
        case .text: .text
        case .duplicate: .duplicate
        case .tooManyTensors: .tooManyTensors
        case .entry: .entry
        case .overflow: .overflow
        case .outside: .outside
        case .length: .length
        case .notContiguous: .notContiguous
        case .trailingBytes: .trailingBytes
        default: .other
        }
    }
  }

  private func expectRefusal(
    _ kind: Kind, _ bytes: [UInt8], _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do throws(WeightsError) {
      _ = try SafetensorsFile(bytes: bytes)
      Issue.record("\(name) was accepted", sourceLocation: sourceLocation)
    } catch {
      #expect(Kind(error) == kind, "\(name): \(error)", sourceLocation: sourceLocation)
      #expect(!error.description.utf8.contains { $0 < 0x20 }, sourceLocation: sourceLocation)
      #expect(error.description.utf8.count < 500, sourceLocation: sourceLocation)
    }
  }

  @Test("the length of the header is checked first")
  func headerLength() {
    for count in 0..<8 { expectRefusal(.tooShort, [UInt8](repeating: 0, count: count), "\(count)") }
    for length: UInt64 in [0, 1, 11, 1 << 20 + 1, 1 << 32, 1 << 63, 1 << 63 + 10, .max, .max - 7] {
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
      expectRefusal(.headerLength, bytes + Array("{}        ".utf8), "\(length)")
    }
    // Longer than the limit, although the file is long enough.
    let spaces = String(repeating: " ", count: 1 << 20)
    expectRefusal(.headerLength, file("{}" + spaces), "1 MiB and 2 bytes")
    #expect(throws: Never.self) {
      try SafetensorsFile(bytes: file("{}" + spaces.dropLast(2)))
    }
  }

  @Test("the header is a single object of the fixed form, followed only by spaces")
  func grammar() {
    let cases: [(String, String)] = [
      ("begins with a space", " {}"), ("begins with a line end", "\n{}"),
      ("begins with a byte order mark", "\u{feff}{}"), ("an array", "[]"), ("two objects", "{}{}"),
      ("a tab after it", "{}\t"), ("a line end after it", "{}\n"), ("a zero after it", "{}\0"),
      ("not closed", "{ "), ("a comma alone", "{,}"), ("a number as name", "{1:{}}"),
      ("a name without colon", "{\"a\"}"), ("a name without value", "{\"a\":}"),
      ("a string as value", "{\"a\":\"b\"}"), ("null as value", "{\"a\":null}"),
      ("an array as value", "{\"a\":[]}"), ("a comma at the end", "{\"__metadata__\":{},}"),
      ("no comma", "{\"__metadata__\":{} \"a\":{}}"), ("a comment", "{}//"),
      ("single quotes", "{'a':{}}"), ("a string that does not end", "{\"a"),
      ("an escape that does not end", "{\"a\\"), ("an unknown escape", "{\"\\a\":{}}"),
      ("an escape in capitals", "{\"\\N\":{}}"), ("three digits", "{\"\\u00e\":{}}"),
      ("no digit", "{\"\\u00eg\":{}}"), ("digits of full width", "{\"\\u００ｅ９\":{}}"),
      ("a missing digit", "{\"\\u00"), ("a shape that is a number", entryHeader("4", "[0,4]")),
      ("a shape that is text", entryHeader("\"4\"", "[0,4]")),
      ("a shape in a shape", entryHeader("[[1]]", "[0,4]")),
      ("null in a shape", entryHeader("[null]", "[0,4]")),
      ("a comma at a shape's end", entryHeader("[1,]", "[0,4]")),
      ("no comma in a shape", entryHeader("[1 1]", "[0,4]")),
      ("a shape that does not end", "{\"a\":{\"shape\":[1,1"),
      ("nine axes", entryHeader("[1,1,1,1,1,1,1,1,1]", "[0,4]")),
      ("three offsets", entryHeader("[1]", "[0,4,4]")),
      ("a minus", entryHeader("[-1]", "[0,4]")), ("minus zero", entryHeader("[-0]", "[0,0]")),
      ("a plus", entryHeader("[+1]", "[0,4]")), ("a fraction", entryHeader("[1.0]", "[0,4]")),
      ("an exponent", entryHeader("[1e0]", "[0,4]")),
      ("a leading zero", entryHeader("[01]", "[0,4]")), ("two zeros", entryHeader("[00]", "[0,0]")),
      ("2^63", entryHeader("[9223372036854775808]", "[0,4]")),
      ("2^64 + 1", entryHeader("[18446744073709551617]", "[0,4]")),
      ("true", entryHeader("[true]", "[0,4]")),
      ("a dtype that is a number", "{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}"),
      ("a number in the metadata", "{\"__metadata__\":{\"a\":1}}"),
      ("null in the metadata", "{\"__metadata__\":{\"a\":null}}"),
      ("an object in the metadata", "{\"__metadata__\":{\"a\":{}}}"),
      ("metadata that are text", "{\"__metadata__\":\"a\"}"),
      ("metadata that are null", "{\"__metadata__\":null}"),
      ("deep objects", "{\"__metadata__\":" + String(repeating: "{\"a\":", count: 100_000)),
      ("deep arrays", "{\"a\":{\"shape\":" + String(repeating: "[", count: 500_000)),
    ]
    for (name, header) in cases { expectRefusal(.syntax, file(header, data: 4), name) }
  }

  private func entryHeader(_ shape: String, _ offsets: String) -> String {
    "{" + entry("a", shape, offsets) + "}"
  }

  @Test("strings are UTF-8 of limited length, and names have no control characters")
  func text() {
    func header(_ text: [UInt8]) -> [UInt8] {
      Array("{\"__metadata__\":{\"a\":\"".utf8) + text + Array("\"}}".utf8)
    }
    let cases: [(String, [UInt8])] = [
      ("a lone continuation byte", [0x80]), ("a sequence cut short", [0xe2, 0x82]),
      ("an overlong slash", [0xc0, 0xaf]), ("a surrogate in UTF-8", [0xed, 0xa0, 0x80]),
      ("beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]), ("UTF-16's mark", [0xff, 0xfe]),
      ("a raw line end", [0x0a]), ("a raw tab", [0x09]), ("a raw zero", [0x00]),
      ("half a pair", Array("\\ud800".utf8)), ("the other half", Array("\\udc00".utf8)),
      ("half a pair and a letter", Array("\\ud800a".utf8)),
      ("half a pair and an escape", Array("\\ud800\\n".utf8)),
      ("half a pair twice", Array("\\ud800\\ud800".utf8)),
      ("more than 64 KiB", [UInt8](repeating: 0x61, count: 64 << 10 + 1)),
    ]
    for (name, text) in cases { expectRefusal(.text, file(header: header(text)), name) }
    #expect(throws: Never.self) {
      try SafetensorsFile(
        bytes: file(header: header([UInt8](repeating: 0x61, count: 64 << 10))))
    }

    let long = String(repeating: "é", count: 128)
    for (name, key) in [
      ("more than 256 bytes", long + "a"), ("an escaped zero", "\\u0000"),
      ("an escaped line end", "\\n"), ("a raw DEL", "\u{7f}"), ("a C1 control", "\u{9b}"),
    ] {
      expectRefusal(.text, file("{" + entry(key, "[1]", "[0,4]") + "}", data: 4), name)
      expectRefusal(.text, file("{\"__metadata__\":{\"\(key)\":\"\"}}"), name)
    }
    #expect(throws: Never.self) {
      try SafetensorsFile(bytes: file("{" + entry(long, "[1]", "[0,4]") + "}", data: 4))
    }
  }

  @Test("duplicate names are refused, however they are spelt")
  func duplicates() {
    let a = entry("a", "[0]", "[0,0]")
    let cases: [(String, String)] = [
      ("a tensor", "{\(a),\(a)}"),
      ("a tensor, once escaped", "{\(a),\(entry("\\u0061", "[0]", "[0,0]"))}"),
      (
        "a tensor, once decomposed",
        "{\(entry("\u{e9}", "[0]", "[0,0]")),\(entry("e\u{301}", "[0]", "[0,0]"))}"
      ),
      ("the metadata", "{\"__metadata__\":{},\"__metadata__\":{}}"),
      ("the metadata, once escaped", "{\"__metadata__\":{},\"\\u005f_metadata__\":{}}"),
      ("a key of the metadata", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}"),
      ("dtype", "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"),
      ("shape", "{\"a\":{\"shape\":[],\"shape\":[]}}"),
      ("data_offsets", "{\"a\":{\"data_offsets\":[],\"data_offsets\":[]}}"),
    ]
    for (name, header) in cases { expectRefusal(.duplicate, file(header), name) }
  }

  @Test("an entry has exactly the three fields")
  func fields() {
    let cases: [(String, String)] = [
      ("no field", "{\"a\":{}}"),
      ("no dtype", "{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}"),
      ("no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}"),
      ("no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}"),
      ("one offset", "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0]}}"),
      ("another field", "{\"a\":{\"dtype\":\"F32\",\"strides\":[1]}}"),
      ("metadata among tensors' fields", "{\"a\":{\"__metadata__\":{}}}"),
      ("an unknown dtype", "{\"a\":{\"dtype\":\"F31\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
      ("a dtype in lower case", "{\"a\":{\"dtype\":\"f32\"}}"),
      ("a hidden dtype", "{\"a\":{\"dtype\":\"F32\\u0000\"}}"),
    ]
    for (name, header) in cases {
      expectRefusal(name == "a hidden dtype" ? .text : .entry, file(header), name)
    }
  }

  @Test("4,096 tensors are accepted, but not 4,097")
  func count() {
    func header(_ count: Int) -> String {
      "{" + (0..<count).map { entry("\($0)", "[0]", "[0,0]") }.joined(separator: ",") + "}"
    }
    #expect(throws: Never.self) { try SafetensorsFile(bytes: file(header(4096))) }
    expectRefusal(.tooManyTensors, file(header(4097)), "4,097")
  }

  @Test("sizes are multiplied from left to right, so a later zero does not hide an overflow")
  func overflow() throws {
    for shape in [
      "[4611686018427387904,4]", "[4611686018427387904,4,0]", "[9223372036854775807]",
      "[2305843009213693952]", "[4294967296,4294967296]",
    ] {
      expectRefusal(.overflow, file("{" + entry("a", shape, "[0,4]") + "}", data: 4), shape)
    }
    for shape in [
      "[0,4611686018427387904,4]", "[2305843009213693952,0]", "[9223372036854775807,0]",
    ] {
      let read = try SafetensorsFile(bytes: file("{" + entry("a", shape, "[0,0]") + "}"))
      #expect(try read.tensors["a"]?.floats() == [])
      #expect(throws: WeightsError.self) { try GeneratorWeights(read) }
      #expect(throws: LatentsError.self) { try Latents(safetensors: read) }
      #expect(read.encoded().count % 8 == 0)
    }
  }

  @Test("a tensor's byte range must be within the data and have the right size")
  func places() {
    for offsets in [
      "[0,8]", "[4,8]", "[4,0]", "[5,5]", "[0,9223372036854775807]",
      "[9223372036854775807,9223372036854775807]",
    ] {
      expectRefusal(.outside, file("{" + entry("a", "[1]", offsets) + "}", data: 4), offsets)
    }
    for shape in ["[2]", "[0]", "[1,1,2]"] {
      expectRefusal(.length, file("{" + entry("a", shape, "[0,4]") + "}", data: 4), shape)
    }
  }

  @Test("tensors must cover every byte of the data exactly once")
  func contiguity() {
    func header(_ entries: (String, String)...) -> String {
      "{" + entries.enumerated().map { entry("\($0)", $1.0, $1.1) }.joined(separator: ",") + "}"
    }
    let cases: [(String, Kind, String)] = [
      ("a start after byte 0", .notContiguous, header(("[2]", "[4,12]"))),
      ("a hole", .notContiguous, header(("[1]", "[0,4]"), ("[1]", "[8,12]"))),
      ("an overlap", .notContiguous, header(("[2]", "[0,8]"), ("[2]", "[4,12]"))),
      ("the same range twice", .notContiguous, header(("[3]", "[0,12]"), ("[3]", "[0,12]"))),
      ("a tail", .trailingBytes, header(("[1]", "[0,4]"), ("[1]", "[4,8]"))),
      ("no tensor at all", .trailingBytes, "{}"),
      (
        "an empty tensor in the middle of another", .notContiguous,
        header(("[3]", "[0,12]"), ("[0]", "[4,4]"))
      ),
    ]
    for (name, kind, header) in cases { expectRefusal(kind, file(header, data: 12), name) }
    #expect(throws: Never.self) {  // in any order
      try SafetensorsFile(bytes: file(header(("[2]", "[4,12]"), ("[1]", "[0,4]")), data: 12))
    }
  }

  @Test("a file truncated at any byte or extended is refused")
  func cuts() throws {
    let bytes = SampleNetworks.generator(try DCGANShape(latent: 1, generatorWidth: 1, side: 32))
      .file().encoded()
    for count in 0..<bytes.count {
      #expect(throws: WeightsError.self) { try SafetensorsFile(bytes: Array(bytes.prefix(count))) }
    }
    #expect(throws: WeightsError.trailingBytes(count: 1)) {
      try SafetensorsFile(bytes: bytes + [0])
    }
  }

  @Test("no change of a single byte of a header crashes the reader")
  func mutations() {
    let good = file(
      "{\"__metadata__\":{\"é\\n\":\"\\ud83d\\ude00\"}," + entry("a", "[2,1]", "[0,8]") + ","
        + entry("b", "[0]", "[8,8]") + "}", data: 8)
    for index in 0..<(good.count - 8) {
      for value: UInt8 in 0...255 {
        var bytes = good
        bytes[index] = value
        _ = try? SafetensorsFile(bytes: bytes)
      }
    }
  }
}

@Suite("Writing safetensors files")
struct SafetensorsWritingTests {
  static let content = SafetensorsFile(
    metadata: ["z": "1", "é": "line\nend", "e\u{301}x": "\"\\\u{1}", "Z": ""],
    tensors: [
      "b": StoredTensor(Tensor(shape: [3], values: [1, 2, 3])),
      "a": StoredTensor(Tensor(shape: [1], values: [-0.5]), type: .f16),
      "c": StoredTensor(int64: [-1], shape: []),
      "d": StoredTensor(bytes: [7, 8, 9]),
      "a0": StoredTensor([0.1, .infinity], shape: [2, 1]),
      "a.": StoredTensor(Tensor(shape: [0, 2], values: [])),
      "ab": StoredTensor(Tensor(shape: [1], values: [3]), type: .bf16),
    ])

  @Test("a file reads back as written")
  func roundTrip() throws {
    #expect(try SafetensorsFile(bytes: Self.content.encoded()) == Self.content)
    #expect(
      try SafetensorsFile(bytes: SafetensorsFile(tensors: [:]).encoded()).metadata
        == ["format": "pt"])
  }

  @Test("the header is sorted and padded to 8 bytes, and tensors are aligned to their type")
  func layout() throws {
    let bytes = Self.content.encoded()
    let length = Int(bytes[0]) | Int(bytes[1]) << 8
    #expect(length % 8 == 0)
    let header = String(decoding: bytes[8..<(8 + length)], as: UTF8.self)
    #expect(
      header.hasPrefix(
        """
        {"__metadata__":{"Z":"","e\u{301}x":"\\"\\\\\\u0001","format":"pt","z":"1",\
        "é":"line\\nend"},\
        "c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},\
        "a0":{"dtype":"F64","shape":[2,1],"data_offsets":[8,24]},\
        "a.":{"dtype":"F32","shape":[0,2],"data_offsets":[24,24]},\
        "b":{"dtype":"F32","shape":[3],"data_offsets":[24,36]},\
        "ab":{"dtype":"BF16","shape":[1],"data_offsets":[36,38]},\
        "a":{"dtype":"F16","shape":[1],"data_offsets":[38,40]},\
        "d":{"dtype":"U8","shape":[3],"data_offsets":[40,43]}}
        """))
  }

  @Test("the same contents give the same bytes, in whatever order they were added")
  func reproducible() {
    var file = SafetensorsFile(tensors: [:])
    for (name, tensor) in Self.content.tensors.sorted(by: { $0.key > $1.key }) {
      file.tensors[name] = tensor
    }
    for (name, text) in Self.content.metadata.sorted(by: { $0.key > $1.key }) {
      file.metadata[name] = text
    }
    #expect(file.encoded() == Self.content.encoded())
  }

  @Test("a file on disk has exactly the encoded bytes", arguments: [false, true])
  func writing(durably: Bool) throws {
    let folder = TemporaryFolder()
    try Self.content.write(to: folder.path + "/weights.safetensors", durably: durably)
    #expect(
      try readFile(folder.path + "/weights.safetensors", limit: 4096) == Self.content.encoded())
  }

  @Test("the tensor hash is the hash of the data, independent of the metadata")
  func hash() throws {
    let bytes = Self.content.encoded()
    let length = Int(bytes[0]) | Int(bytes[1]) << 8
    let hash = SHA256.hex(of: Array(bytes[(8 + length)...]))
    var file = Self.content
    #expect(file.tensorHash == hash)
    #expect(file.storedTensorHash == nil)
    file.addModelSpec(title: "Faces", date: "2026-11-23", side: 64)
    #expect(file.tensorHash == hash)
    #expect(file.storedTensorHash == hash)
    #expect(file.metadata["modelspec.hash_sha256"] == "0x" + hash)
    #expect(file.metadata["modelspec.sai_model_spec"] == "1.0.0")
    #expect(file.metadata["modelspec.architecture"] == "dcgan-64")
    #expect(file.metadata["modelspec.implementation"] == "bollygan")
    #expect(file.metadata["modelspec.title"] == "Faces")
    #expect(file.metadata["modelspec.date"] == "2026-11-23")
    #expect(file.metadata["modelspec.resolution"] == "64x64")
    #expect(file.metadata["format"] == "pt")
    file.addModelSpec(title: "Faces", side: 32)
    #expect(file.metadata["modelspec.date"] == nil)
    file.metadata["modelspec.hash_sha256"] = "0x12"
    #expect(file.storedTensorHash == nil)
  }
}

@Suite("Stored numbers")
struct StoredTensorTests {
  @Test("all 65,536 float16 numbers convert to float32 exactly and back")
  func half() throws {
    let bits = (0...UInt16.max).map { $0 }
    let stored = StoredTensor(
      type: .f16, shape: [65536], bytes: bits.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
    let floats = try stored.floats()
    for (bits, value) in zip(bits, floats) {
      let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023))
      let magnitude: Float =
        switch exponent {
        case 0: fraction * 0x1p-24
        case 31: fraction == 0 ? .infinity : .nan
        default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
      let isSame = magnitude.isNaN ? value.isNaN : abs(value) == magnitude
      #expect(isSame && (value.sign == .minus) == (bits >> 15 == 1), "\(bits)")
    }
    let isNumber = floats.map { !$0.isNaN }
    let back = StoredTensor(Tensor(shape: [65536], values: floats), type: .f16)
    for index in bits.indices where isNumber[index] {
      #expect(
        back.bytes[2 * index] == stored.bytes[2 * index]
          && back.bytes[2 * index + 1] == stored.bytes[2 * index + 1])
    }
    #expect(try back.floats().map(\.isNaN) == floats.map(\.isNaN))
  }

  @Test(
    "float32 is rounded to the nearest float16, ties to even",
    arguments: [
      (1 + 0x1p-11, 1), (1 + 0x1p-11 + 0x1p-23, 1 + 0x1p-10), (1 + 3 * 0x1p-11, 1 + 0x1p-9),
      (65519.996, 65504), (65520, .infinity), (1e30, .infinity), (-65520, -.infinity),
      (0x1p-25, 0), (0x1.000002p-25, 0x1p-24), (0x1.8p-24, 0x1p-23), (0x1p-14 - 0x1p-25, 0x1p-14),
      (0x1.ff8p-15, 0x1.ff8p-15), (0x1.ffcp-15, 0x1p-14), (1e-30, 0), (0x1p-149, 0),
    ] as [(Float, Float)])
  func rounding(value: Float, expected: Float) throws {
    let stored = StoredTensor(Tensor(shape: [1], values: [value]), type: .f16)
    #expect(try stored.floats() == [expected])
  }

  @Test(
    "float32 is rounded to the nearest bfloat16, ties to even",
    arguments: [
      (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-23, 1 + 0x1p-7), (1 + 3 * 0x1p-8, 1 + 0x1p-6),
      (.greatestFiniteMagnitude, .infinity), (-0x1.fep127, -0x1.fep127), (0x1p-133, 0x1p-133),
    ] as [(Float, Float)])
  func bfloat(value: Float, expected: Float) throws {
    let stored = StoredTensor(Tensor(shape: [1], values: [value]), type: .bf16)
    #expect(try stored.floats() == [expected])
    #expect(
      try StoredTensor(Tensor(shape: [1], values: [.nan]), type: .bf16).floats()[0].isNaN)
  }

  @Test("doubles and integers are kept exactly, and other types are refused by name")
  func others() throws {
    let doubles = [0.1, -.infinity, .leastNonzeroMagnitude, -0.0]
    let stored = StoredTensor(doubles, shape: [2, 2])
    #expect(try stored.doubles().map(\.bitPattern) == doubles.map(\.bitPattern))
    #expect(try StoredTensor(Tensor(shape: [1], values: [0.1])).doubles() == [Double(Float(0.1))])
    let whole = StoredTensor(int64: [.min, -1, .max], shape: [3])
    #expect(try whole.int64s() == [.min, -1, .max])
    #expect(
      throws: WeightsError.type(tensor: "x", found: .f64, accepted: [.f32, .f16, .bf16])
    ) { try stored.floats(name: "x") }
    #expect(throws: WeightsError.type(tensor: "", found: .f64, accepted: [.i64])) {
      try stored.int64s()
    }
    #expect(
      throws: WeightsError.type(tensor: "", found: .i64, accepted: [.f64, .f32, .f16, .bf16])
    ) { try whole.doubles() }
  }
}
