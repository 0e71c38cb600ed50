import BollyGANPictures
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

@Suite("TensorBoard event files")
struct EventFileTests {
  /// The records of a file. Checks their checksums.
  private func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
    func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
      bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    func masked(_ bytes: some Sequence<UInt8>) -> UInt64 {
      let crc = CRC32.castagnoli(Array(bytes))
      return UInt64((crc >> 15 | crc << 17) &+ 0xA282_EAD8)
    }
    var records: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let length = Int(number(rest.prefix(8)))
      try #require(rest.count >= length + 16)
      #expect(number(rest.dropFirst(8).prefix(4)) == masked(rest.prefix(8)))
      let data = rest.dropFirst(12).prefix(length)
      #expect(number(rest.dropFirst(12 + length).prefix(4)) == masked(data))
      records.append(Array(data))
      rest = rest.dropFirst(length + 16)
    }
    return records
  }

  @Test("the checksum is the one of RFC 3720")
  func checksum() {
    #expect(CRC32.castagnoli(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32.castagnoli([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32.castagnoli(Array(0..<32)) == 0x46DD_794E)
    #expect(CRC32.castagnoli([]) == 0)
  }

  @Test("each process writes its own file, ordered after the others, with complete records")
  func sessions() async throws {
    var tiny = try await TinyRun()
    tiny.beforeStep = { if $0 == 8 { throw PowerCut() } }
    await #expect(throws: PowerCut.self) { try await tiny.begin("run") }
    tiny.beforeStep = { _ in }
    _ = try await tiny.resume("run")
    let names = try tiny.eventFiles(in: "run")
    #expect(names.count == 2)
    // Even within one second, the second file gets the later name.
    let first = try records(tiny.scratch.bytes("run/\(names[0])"))
    let second = try records(tiny.scratch.bytes("run/\(names[1])"))
    // Version, configuration, seven steps, one epoch with its sheet.
    #expect(first.count == 2 + 7 + 2)
    // Version, session start, steps 7 to 15, two epochs with their sheets.
    #expect(second.count == 2 + 9 + 4)
    for file in [first, second] {
      #expect(String(decoding: file[0], as: UTF8.self).contains("brain.Event:2"))
    }
    #expect(tiny.notes.warnings.isEmpty)
  }
}
