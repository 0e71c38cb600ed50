import BollyGANModel
import BollyGANPictures

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// An event file for TensorBoard. Every process that trains in a run folder writes its own.
///
/// A killed process may leave half a record at the end of its file. The next process starts a new
/// file whose first event names the step from which it counts. TensorBoard reads the files in the
/// order of their names, which start with the time.
final class EventFile {
  static let prefix = "events.out.tfevents."

  private let folder: String
  /// The step after which this process continues; nil for a new run.
  private let start: Int?
  private var file: Descriptor?
  private var pending: [UInt8] = []
  private var isFailing = false

  /// Most bytes that wait for space on a full disk. Beyond that the file is abandoned, because a
  /// gap within a record would make the rest unreadable.
  private static let pendingLimit = 64 << 20

  /// A file that is created with its first record.
  init(folder: String, resumedAt start: Int?) {
    self.folder = folder
    self.start = start
  }

  /// Appends values at a step.
  ///
  /// - Returns: The error that makes them wait, but only the first of several in a row.
  func add(step: Int, _ values: [(tag: String, value: EventMessage.Value)]) -> FileError? {
    guard !values.isEmpty, pending.count <= Self.pendingLimit else { return nil }
    append(EventMessage(time: Self.now, step: step, content: .values(values)))
    do throws(FileError) {
      if file == nil { file = try begin() }
      try file?.put(&pending)
      isFailing = false
      return nil
    } catch {
      defer { isFailing = true }
      return isFailing ? nil : error
    }
  }

  private func begin() throws(FileError) -> Descriptor {
    let others = try FileSystem.names(in: Array(folder.utf8))
      .map { String(decoding: $0, as: UTF8.self) }.compactMap(Self.seconds(ofName:))
    // If two processes start within a second, the second file still needs the later name.
    let seconds = max(Int(Self.now), (others.max() ?? 0) + 1)
    let process = ProcessInfo.processInfo
    let host = process.hostName.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let name =
      "\(Self.prefix)\(padded(seconds, to: 10)).\(String(host)).\(process.processIdentifier).0"
    let opened = try Descriptor(appending: "\(folder)/\(name)")
    let waiting = pending
    pending = []
    append(EventMessage(time: Self.now, step: 0, content: .version))
    if let start {
      append(EventMessage(time: Self.now, step: start + 1, content: .sessionStart))
    }
    pending += waiting
    return opened
  }

  private static var now: Double { Date.now.timeIntervalSince1970 }

  private static func seconds(ofName name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    // Other programs' files may have something other than a time here.
    let digits = name.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
    return digits.count == 10 ? Int(digits) : nil
  }

  private func append(_ event: EventMessage) { pending += Self.record(of: event.encoded()) }

  /// One record: length, checksum of the length, data, checksum of the data.
  static func record(of data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(mask(CRC32.castagnoli(length))) + data
      + littleEndian(mask(CRC32.castagnoli(data)))
  }

  /// Rotates a checksum and adds a constant, as the format requires: a checksum over data that
  /// contains its own checksum would be predictable.
  private static func mask(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
}
