import BollyGANModel
import Testing

@Suite(".npy files")
struct NPYTests {
  static let values: [Float] = [0.5, -1.25, 3, 1e-7, 65504, -0.1]

  private func read(_ name: String) throws -> NPYFile {
    try NPYFile(bytes: readFile(fixture(name), limit: 4096))
  }

  @Test("files written by NumPy are read", arguments: ["f4.npy", "f8.npy", "version2.npy"])
  func reading(name: String) throws {
    #expect(try read(name) == NPYFile(shape: [2, 3], floats: Self.values))
  }

  @Test("float16 numbers are read exactly")
  func half() throws {
    // 1e-7 is rounded to a multiple of 2^-24, and -0.1 to a multiple of 2^-14.
    let expected: [Float] = [0.5, -1.25, 3, 0x1p-23, 65504, -0x1.998p-4]
    #expect(try read("f2.npy").floats == expected)
  }

  @Test("files equal those of numpy.save byte for byte")
  func writing() throws {
    #expect(
      try NPYFile(shape: [2, 3], floats: Self.values).encoded()
        == readFile(fixture("f4.npy"), limit: 4096))
    #expect(
      try NPYFile(shape: [5], floats: [0, 1, 2, 3, 4]).encoded()
        == readFile(fixture("vector.npy"), limit: 4096))
  }

  @Test("an array reads back as written", arguments: [[], [0], [3], [2, 0, 4], [1, 2, 3, 1]])
  func roundTrip(shape: [Int]) throws {
    let file = NPYFile(
      shape: shape, floats: (0..<shape.reduce(1, *)).map { Float($0) - 0.5 })
    #expect(try NPYFile(bytes: file.encoded()) == file)
  }

  /// A file with the given header.
  static func file(_ header: String, version: [UInt8] = [1, 0], data: Int = 24) -> [UInt8] {
    let text = Array(header.utf8)
    return [0x93] + Array("NUMPY".utf8) + version
      + [UInt8(text.count & 0xff), UInt8(text.count >> 8)]
      + (version == [1, 0] ? [] : [0, 0]) + text + [UInt8](repeating: 0, count: data)
  }

  @Test(
    "equivalent spellings of the header are accepted",
    arguments: [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
      "{\"shape\":(2,3,),\"descr\":\"<f4\",\"fortran_order\":False}  \n",
      "{ 'fortran_order' : False , 'descr' : '<f4' , 'shape' : ( 2 , 3 ) }\n",
    ])
  func forms(header: String) throws {
    #expect(try NPYFile(bytes: Self.file(header)).shape == [2, 3])
  }

  static let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"

  static let refused: [(name: String, bytes: [UInt8], error: @Sendable (NPYError) -> Bool)] = [
    ("empty", [], { $0 == .notNPY }),
    ("truncated in the length", Array(file(good).prefix(9)), { $0 == .notNPY }),
    ("another magic", [0x92] + file(good).dropFirst(), { $0 == .notNPY }),
    ("version 3", file(good, version: [3, 0]), { $0 == .version(major: 3, minor: 0) }),
    (
      "header longer than the file", Array(file(good).prefix(40)),
      { if case .headerLength = $0 { true } else { false } }
    ),
    (
      "header of 4 GB", Array(file(good, version: [2, 0]).prefix(8)) + [255, 255, 255, 255, 0],
      { if case .headerLength(4_294_967_295, _) = $0 { true } else { false } }
    ),
    (
      "Fortran order",
      file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n"),
      { $0 == .fortranOrder }
    ),
    (
      "integers",
      file("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }\n"),
      { $0 == .type("<i4") }
    ),
    (
      "big-endian numbers",
      file("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }\n"),
      { $0 == .type(">f4") }
    ),
    (
      "more numbers than the header says", file(good, data: 28),
      { $0 == .length(needed: 24, found: 28) }
    ),
    (
      "fewer numbers than the header says", file(good, data: 23),
      { $0 == .length(needed: 24, found: 23) }
    ),
    (
      "a product beyond 2^63",
      file(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }\n",
        data: 0),
      { if case .overflow = $0 { true } else { false } }
    ),
  ]

  @Test("hostile and foreign files are refused with the right error", arguments: refused.indices)
  func refusal(index: Int) throws {
    let (name, bytes, isExpected) = Self.refused[index]
    do throws(NPYError) {
      _ = try NPYFile(bytes: bytes)
      Issue.record("\(name) was accepted")
    } catch {
      #expect(isExpected(error), "\(name): \(error)")
    }
  }

  @Test(
    "headers that NumPy does not write are refused",
    arguments: [
      "", "{}\n", "{\n", "[]\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } #\n",
      "{'descr': '<f4', 'fortran_order': False, }\n",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': '1', }\n",
      "{'descr' '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
      "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3), }\n",
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (02, 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 3), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3], }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6,1,1,1,1,1,1,1,1), }\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n",
      "{'descr': '<f\\u0034', 'fortran_order': False, 'shape': (2, 3), }\n",
      "{'descr': '<f4, }\n",
    ])
  func malformed(header: String) {
    #expect {
      try NPYFile(bytes: Self.file(header))
    } throws: {
      if case .header = $0 as? NPYError { true } else { false }
    }
  }

  @Test("a file truncated at any byte is refused")
  func cuts() {
    let bytes = Self.file(Self.good)
    for count in 0..<bytes.count {
      #expect(throws: NPYError.self) { try NPYFile(bytes: Array(bytes.prefix(count))) }
    }
  }

  @Test("messages say in one line what is wrong and what is expected")
  func messages() {
    let errors: [(NPYError, String)] = [
      (.notNPY, "not a .npy file"), (.version(major: 3, minor: 1), "3.1"),
      (.headerLength(found: 70_000, limit: 65_536), "70000"),
      (.header(byte: 12, expected: "'{'"), "byte 12: expected '{'"),
      (.type("<i8\n"), "\"<i8\\u{a}\""), (.fortranOrder, "ascontiguousarray"),
      (.overflow(shape: [7, 8]), "[7, 8]"), (.length(needed: 24, found: 23), "need 24 bytes"),
    ]
    for (error, part) in errors {
      #expect(error.description.contains(part))
      #expect(!error.description.contains("\n"))
      #expect(LatentsError.npy(error).description == error.description)
    }
  }
}
