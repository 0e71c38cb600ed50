import BollyGANModel
import BollyGANTerminal
import Foundation
import Testing

@Suite("File failures")
final class FileFailureTests {
  /// An empty folder for one test.
  let folder: String

  init() throws {
    let place = FileManager.default.temporaryDirectory.appending(path: "bollygan-\(UUID())")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    folder = place.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test("reading a missing file, a folder or an invalid file has the right status")
  func reading() {
    struct Torn: Error, CustomStringConvertible { let description = "is torn" }
    let missing = #expect(throws: CommandFailure.self) {
      try CommandFailure.reading("\(folder)/none") { try readFile("\(folder)/none", limit: 9) }
    }
    #expect(missing?.exitStatus == .missingInput)
    #expect(missing?.file == "\(folder)/none")
    let directory = #expect(throws: CommandFailure.self) {
      try CommandFailure.reading(folder) { try readFile(folder, limit: 9) }
    }
    #expect(directory?.exitStatus == .badData)
    let torn = #expect(throws: CommandFailure.self) {
      try CommandFailure.reading("-") { throw Torn() }
    }
    #expect(torn == CommandFailure(.badData, file: "standard input", "is torn"))
  }

  @Test("writing where no file can be created is 73, and to a full disk 74")
  func writing() throws {
    let nowhere = #expect(throws: CommandFailure.self) { _ = try OutputFile("\(folder)/a/b.png") }
    #expect(nowhere?.exitStatus == .cannotCreate)
    let onFolder = #expect(throws: CommandFailure.self) { _ = try OutputFile(folder) }
    #expect(onFolder?.exitStatus == .cannotCreate)
    #if os(Linux)
      var full = try OutputFile("/dev/full")
      let noSpace = #expect(throws: CommandFailure.self) { try full.write([1, 2, 3]) }
      #expect(noSpace?.exitStatus == .inputOutput)
    #endif
  }

  @Test("an output file appears only when it is complete")
  func wholeOrNothing() throws {
    let path = "\(folder)/x"
    try writeFile([7], to: path)
    do {
      var dropped = try OutputFile(path)
      try dropped.write([1, 2])
    }
    #expect(try readFile(path, limit: 9) == [7])
    var kept = try OutputFile(path)
    try kept.write([1, 2])
    try kept.write([3])
    try kept.finish()
    #expect(try readFile(path, limit: 9) == [1, 2, 3])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x"])
  }

  @Test("a folder is created with its parents, may exist already, but must not be a file")
  func folders() throws {
    try makeFolder("\(folder)/a/b//c/")
    try makeFolder("\(folder)/a/b/c")
    #expect(Folder.exists("\(folder)/a/b/c"))
    try writeFile([7], to: "\(folder)/file")
    let failure = #expect(throws: CommandFailure.self) { try makeFolder("\(folder)/file/x") }
    #expect(failure?.exitStatus == .cannotCreate)
    let itself = #expect(throws: CommandFailure.self) { try makeFolder("\(folder)/file") }
    #expect(itself?.exitStatus == .cannotCreate)
  }
}
