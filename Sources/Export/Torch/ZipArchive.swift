import BollyGANModel

/// The files in a zip archive without compression, as `torch.save` and `numpy.savez` write it.
///
/// - SeeAlso: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZipArchive {
  /// Largest number of files in an archive.
  static let entryLimit = 10_000

  private var files: [String: Entry] = [:]

  /// The names of the files.
  var names: some Collection<String> { files.keys }

  /// The range of a file's bytes; nil if there is no such file.
  func place(of name: String) throws(TorchFileError) -> Range<Int>? {
    guard let entry = files[name] else { return nil }
    guard entry.isStored else {
      throw .archive(
        reason: "\(quoted(name)) is compressed or encrypted; torch.save does neither")
    }
    return entry.data
  }

  init(_ bytes: [UInt8]) throws(TorchFileError) {
    let reader = LittleEndianReader(bytes: bytes)
    let end = try Self.endRecord(reader)
    let count = Int(reader.number16(end + 10))
    let size = reader.number32(end + 12)
    let start = reader.number32(end + 16)
    guard count <= Self.entryLimit else {
      throw .archive(reason: "\(count) files, the limit is \(Self.entryLimit)")
    }
    guard UInt64(start) + UInt64(size) <= UInt64(end), reader.number16(end + 4) == 0,
      reader.number16(end + 8) == reader.number16(end + 10)
    else { throw .archive(reason: "its list of files is outside the archive") }
    var position = Int(start)
    var ranges: [Range<Int>] = []
    for _ in 0..<count {
      let entry = try Entry(reader, at: position, end: Int(start) + Int(size))
      guard files.updateValue(entry, forKey: entry.name) == nil else {
        throw .archive(reason: "\(quoted(entry.name)) occurs twice in it")
      }
      ranges.append(entry.whole)
      position = entry.next
    }
    // With two names for the same bytes, a small archive could expand to a large one.
    ranges.sort { $0.lowerBound < $1.lowerBound }
    for (one, next) in zip(ranges, ranges.dropFirst()) where one.upperBound > next.lowerBound {
      throw .archive(reason: "two files share bytes")
    }
    if let last = ranges.last, last.upperBound > Int(start) {
      throw .archive(reason: "a file shares bytes with the list of files")
    }
  }

  /// The offset of the record at the end of the archive; a comment may follow it.
  private static func endRecord(_ reader: LittleEndianReader) throws(TorchFileError) -> Int {
    let size = 22
    let count = reader.bytes.count
    let first = max(0, count - size - Int(UInt16.max))
    guard count >= size else { throw .archive(reason: "it ends before its list of files") }
    for position in (first...count - size).reversed()
    where reader.number32(position) == 0x0605_4B50
      && position + size + Int(reader.number16(position + 20)) == count
    {
      return position
    }
    throw .archive(reason: "it ends before its list of files")
  }

  private struct Entry {
    let name: String
    /// Whether the file is neither compressed nor encrypted.
    let isStored: Bool
    /// The range of the file's bytes.
    let data: Range<Int>
    /// The same range with the local header before it.
    let whole: Range<Int>
    /// The offset of the next entry of the list.
    let next: Int

    /// Reads an entry of the list at the archive's end, and the local header that it points to.
    init(_ reader: LittleEndianReader, at position: Int, end: Int) throws(TorchFileError) {
      guard end - position >= 46, reader.number32(position) == 0x0201_4B50 else {
        throw .archive(reason: "its list of files is broken")
      }
      let flags = reader.number16(position + 8)
      let method = reader.number16(position + 10)
      let packed = reader.number32(position + 20)
      let size = reader.number32(position + 24)
      let nameLength = Int(reader.number16(position + 28))
      let rest = Int(reader.number16(position + 30)) + Int(reader.number16(position + 32))
      let header = Int(reader.number32(position + 42))
      guard end - position >= 46 + nameLength + rest else {
        throw .archive(reason: "its list of files is broken")
      }
      next = position + 46 + nameLength + rest
      let nameBytes = reader.bytes[position + 46..<position + 46 + nameLength]
      guard let name = String(validating: nameBytes, as: UTF8.self), !nameBytes.contains(0) else {
        throw .archive(reason: "the name of a file is not UTF-8")
      }
      self.name = name
      isStored = method == 0 && packed == size && flags & 1 == 0
      let count = reader.bytes.count
      guard count - header >= 30, reader.number32(header) == 0x0403_4B50 else {
        throw .archive(reason: "\(quoted(name)) does not begin where the list of files says")
      }
      let ownNameLength = Int(reader.number16(header + 26))
      let start = header + 30 + ownNameLength + Int(reader.number16(header + 28))
      guard start <= count, Int(packed) <= count - start else {
        throw .archive(
          reason: "\(quoted(name)) needs \(packed) bytes, but the archive ends earlier")
      }
      guard reader.bytes[header + 30..<header + 30 + ownNameLength].elementsEqual(nameBytes) else {
        throw .archive(reason: "\(quoted(name)) has another name in its own header")
      }
      data = start..<start + Int(packed)
      // Before an empty file, PyTorch declares padding that it does not write.
      whole = packed == 0 ? header..<header + 30 : header..<start + Int(packed)
    }
  }
}

/// Reads integers from bytes, lowest byte first.
///
/// - Precondition: positions are within the bytes.
struct LittleEndianReader {
  let bytes: [UInt8]

  func number16(_ position: Int) -> UInt16 {
    UInt16(bytes[position]) | UInt16(bytes[position + 1]) << 8
  }

  func number32(_ position: Int) -> UInt32 {
    UInt32(number16(position)) | UInt32(number16(position + 2)) << 16
  }
}
