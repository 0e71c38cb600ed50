import BollyGANModel
import BollyGANPictures
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A file of TensorBoard's events, one for each process that trains in a run's folder.
///
/// What a killed process left half written is the end of its file: the next one begins another, whose
/// first event says from which step on it counts. TensorBoard reads them in the order of their names,
/// which begin with the time.
final class EventFile {
  static let prefix = "events.out.tfevents."

  private let folder: String
  /// The step behind which this process goes on; nil where the run begins.
  private let start: Int?
  private var file: Descriptor?
  private var pending: [UInt8] = []
  private var isFailing = false

  /// Bytes that wait for a full disk at most; then the file is given up, for what is missing within
  /// a record is missing for ever.
  static let patience = 64 << 20

  /// A file that is made when there is something to write.
  init(folder: String, resumedAt start: Int?) {
    self.folder = folder
    self.start = start
  }

  /// Appends values at a step.
  ///
  /// - Returns: Why they wait, where these are the first that have to.
  func add(step: Int, _ values: [(tag: String, value: EventMessage.Value)]) -> FileError? {
    guard !values.isEmpty, pending.count <= Self.patience else { return nil }
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
    // Two processes within a second: the second one's file must come behind the first one's.
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
    // Ten digits, or it is somebody else's and no time.
    let digits = name.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
    return digits.count == 10 ? Int(digits) : nil
  }

  private func append(_ event: EventMessage) { pending += Self.record(of: event.encoded()) }

  /// A record: length, checksum of the length, data, checksum of the data.
  static func record(of data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(mask(CRC32.castagnoli(length))) + data
      + littleEndian(mask(CRC32.castagnoli(data)))
  }

  /// Checksums of data that holds checksums would be predictable, so they are turned around.
  private static func mask(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
}
