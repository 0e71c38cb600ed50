// Writes safetensors files.

extension SafetensorsFile {
  /// The bytes of the file. The same contents always give the same bytes.
  ///
  /// The header is the one that the safetensors library writes: metadata first, sorted by name,
  /// then the tensors in the order of their data (widest type first, then by name). Spaces pad it
  /// to a multiple of 8 bytes.
  ///
  /// - Precondition: ``init(bytes:)`` accepts the contents.
  public func encoded() -> [UInt8] {
    var header = "{"
    if !metadata.isEmpty {
      let texts = metadata.sorted { precedes($0.key, $1.key) }
        .map { "\(jsonString($0.key)):\(jsonString($0.value))" }
      header += "\"__metadata__\":{\(texts.joined(separator: ","))}"
    }
    var offset = 0
    for (name, tensor) in tensorsInFileOrder {
      if header.utf8.count > 1 { header += "," }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.bytes.count
      header += "\(jsonString(name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
      header += "\"data_offsets\":[\(offset),\(end)]}"
      offset = end
    }
    header += "}"
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    checkLimits(headerByteCount: header.utf8.count)

    let length = UInt64(header.utf8.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.utf8.count + offset)
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    bytes += header.utf8
    for (_, tensor) in tensorsInFileOrder { bytes += tensor.bytes }
    return bytes
  }

  /// Writes the file completely or not at all, after checking that its bytes read back as the same
  /// contents.
  ///
  /// - Parameters:
  ///   - path: The destination. An existing file is replaced in one step.
  ///   - durably: Whether to return only when the file is certain to survive a power failure.
  /// - Throws: ``FileError``. An existing file is then left intact.
  public func write(to path: String, durably: Bool = false) throws(FileError) {
    let bytes = encoded()
    guard let read = try? SafetensorsFile(bytes: bytes), read == self else {
      preconditionFailure("the safetensors file would read back differently")
    }
    try writeFile(bytes, to: path, durably: durably)
  }

  /// The SHA-256 of the tensors' bytes in file order, in hexadecimal. It identifies the weights
  /// independently of the metadata.
  ///
  /// ``storedTensorHash`` costs nothing, but trusts the file.
  public var tensorHash: String {
    var hash = SHA256()
    for (_, tensor) in tensorsInFileOrder { hash.update(tensor.bytes) }
    return hash.hexDigest()
  }

  private var tensorsInFileOrder: [(name: String, tensor: StoredTensor)] {
    tensors.map { (name: $0.key, tensor: $0.value) }.sorted {
      let (a, b) = ($0.tensor.type.rank, $1.tensor.type.rank)
      return a == b ? precedes($0.name, $1.name) : a > b
    }
  }

  private func checkLimits(headerByteCount: Int) {
    precondition(headerByteCount <= Limits.headerByteCount, "the header is too long")
    precondition(tensors.count <= Limits.tensorCount, "there are too many tensors")
    for (name, tensor) in tensors {
      precondition(
        name.utf8.count <= Limits.nameByteCount && name != "__metadata__"
          && !name.unicodeScalars.contains(where: \.isControl),
        "\(quoted(name)) is not a valid tensor name")
      precondition(tensor.shape.count <= Limits.rank, "\(quoted(name)) has too many axes")
    }
    for (name, text) in metadata {
      precondition(
        name.utf8.count <= Limits.nameByteCount && text.utf8.count <= Limits.textByteCount
          && !name.unicodeScalars.contains(where: \.isControl),
        "metadata \(quoted(name)) is too long or has a control character in its name")
    }
  }
}

/// Whether `a` comes before `b` in the order of their bytes. Swift's `<` compares normalised forms.
private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

/// Text as a JSON string with the shortest escapes, and only where JSON requires one.
private func jsonString(_ text: String) -> String {
  var json = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": json += "\\\""
    case "\\": json += "\\\\"
    case "\u{8}": json += "\\b"
    case "\u{c}": json += "\\f"
    case "\n": json += "\\n"
    case "\r": json += "\\r"
    case "\t": json += "\\t"
    case "\0"..."\u{1f}": json += "\\u00" + hexadecimal([UInt8(scalar.value)])
    default: json.unicodeScalars.append(scalar)
    }
  }
  return json + "\""
}
