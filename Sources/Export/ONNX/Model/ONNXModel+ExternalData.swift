import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Tensors that an ONNX model stores in files of their own.

extension ONNXModel {
  /// Reads the tensors whose numbers are stored in other files.
  ///
  /// A location must be a path inside the model's folder, without links on the way. Otherwise a
  /// model from a stranger could make this program read any file.
  ///
  /// - Parameter folder: the model's folder; nil if there is none (standard input).
  /// - Throws: ``ONNXError/tensor(name:reason:)``.
  public mutating func readExternalData(folder: String?) throws(ONNXError) {
    try readExternalData(folder: folder, known: [:])
  }

  /// The same for one file whose bytes are already in memory.
  package mutating func readExternalData(
    location: String, bytes: [UInt8]
  ) throws(ONNXError) {
    try readExternalData(folder: nil, known: [location: ExternalFile(bytes: bytes)])
  }

  private mutating func readExternalData(
    folder: String?, known: [String: ExternalFile]
  ) throws(ONNXError) {
    var files = known
    for index in graph.initializers.indices {
      try Self.read(&graph.initializers[index], folder, &files)
    }
    for node in graph.nodes.indices {
      for index in graph.nodes[node].attributes.indices {
        guard case .tensor(var tensor) = graph.nodes[node].attributes[index].value,
          case .external = tensor.contents
        else { continue }
        try Self.read(&tensor, folder, &files)
        graph.nodes[node].attributes[index].value = .tensor(tensor)
      }
    }
  }

  private static func read(
    _ tensor: inout Tensor, _ folder: String?, _ files: inout [String: ExternalFile]
  ) throws(ONNXError) {
    guard case .external(let entries) = tensor.contents else { return }
    let name = tensor.name
    func fail(_ reason: String) -> ONNXError { .tensor(name: name, reason: reason) }
    let place = try ExternalPlace(entries, fail)
    var file: ExternalFile
    if let known = files[place.location] {
      file = known
    } else if let folder {
      file = try ExternalFile(place, folder: folder, fail)
    } else {
      throw fail("its numbers are in another file, and a model on standard input has no folder")
    }
    tensor.contents = .raw(try file.read(place, fail))
    files[place.location] = file
  }
}

extension ONNXModel {
  /// Moves the numbers of large tensors into another file.
  ///
  /// - Parameter location: the file's name, in the model's folder.
  /// - Returns: the file's bytes. Each tensor begins at a multiple of 64, aligned for any vector
  ///   load.
  public mutating func moveDataOut(to location: String) -> [UInt8] {
    var data: [UInt8] = []
    for index in graph.initializers.indices {
      // Small ones stay, because runtimes look at shapes before they load any data.
      guard case .raw(let bytes) = graph.initializers[index].contents, bytes.count >= 1024 else {
        continue
      }
      data += [UInt8](repeating: 0, count: (64 - data.count % 64) % 64)
      graph.initializers[index].contents = .external([
        Property("location", location), Property("offset", "\(data.count)"),
        Property("length", "\(bytes.count)"),
      ])
      data += bytes
    }
    return data
  }
}

/// The file and range of a tensor's bytes.
private struct ExternalPlace {
  var location = ""
  var offset: UInt64 = 0
  /// nil for the rest of the file.
  var length: UInt64?

  init(
    _ entries: [ONNXModel.Property], _ fail: (String) -> ONNXError
  ) throws(ONNXError) {
    var seen: Set<String> = []
    for entry in entries {
      guard seen.insert(entry.key).inserted else {
        throw fail("external data sets \(quoted(entry.key)) twice")
      }
      switch entry.key {
      case "location": location = entry.value
      case "offset": offset = try Self.number(entry, fail)
      case "length": length = try Self.number(entry, fail)
      case "checksum": break
      default:
        throw fail(
          "external data sets \(quoted(entry.key)); accepted: location, offset, length, checksum")
      }
    }
    guard isInside(location) else {
      throw fail(
        "external data at \(quoted(location)), accepted: a path inside the model's folder")
    }
  }

  private static func number(
    _ entry: ONNXModel.Property, _ fail: (String) -> ONNXError
  ) throws(ONNXError) -> UInt64 {
    // Check for digits, because the initialiser would accept a sign.
    guard entry.value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = UInt64(entry.value)
    else { throw fail("external data has \(entry.key) \(quoted(entry.value)), accepted: digits") }
    return number
  }

  private func isInside(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.count <= 4096 && !path.utf8.contains(0) && !path.contains("\\")
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".."
      }
  }
}

/// A file of tensors, read into memory once.
private struct ExternalFile {
  private let bytes: [UInt8]
  /// Bytes that no tensor has taken yet. Each byte belongs to one tensor; otherwise a small model
  /// could name a large file many times.
  private var left: Int

  init(bytes: [UInt8]) {
    self.bytes = bytes
    left = bytes.count
  }

  init(
    _ place: ExternalPlace, folder: String, _ fail: (String) -> ONNXError
  ) throws(ONNXError) {
    let descriptor = try Self.open(place.location, folder, fail)
    defer { _ = close(descriptor) }
    do {
      bytes = try readOpenFile(descriptor, path: place.location, limit: ONNXScan.fileLimit)
    } catch {
      throw fail("external data \(quoted(place.location)): \(error)")
    }
    left = bytes.count
  }

  mutating func read(
    _ place: ExternalPlace, _ fail: (String) -> ONNXError
  ) throws(ONNXError) -> [UInt8] {
    let size = UInt64(bytes.count)
    guard place.offset <= size, place.length ?? 0 <= size - place.offset else {
      throw fail(
        "external data needs \(place.length.map { "\($0) bytes" } ?? "all") from byte "
          + "\(place.offset) of \(quoted(place.location)), which has \(size)")
    }
    let start = Int(place.offset)
    let count = Int(place.length ?? size - place.offset)
    guard count <= left else {
      throw fail("external data \(quoted(place.location)) is used more than once")
    }
    left -= count
    return Array(bytes[start..<start + count])
  }

  /// Opens a file inside a folder, one path component at a time, so that no link can lead out of
  /// it.
  private static func open(
    _ location: String, _ folder: String, _ fail: (String) -> ONNXError
  ) throws(ONNXError) -> Int32 {
    func refusal() -> ONNXError {
      let code = errno
      let reason =
        code == ELOOP || code == ENOTDIR
        ? "a link, or not a folder, on the way" : unsafe String(cString: strerror(code))
      return fail("external data \(quoted(location)): \(reason)")
    }
    var current = unsafe openat(
      AT_FDCWD, folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard current >= 0 else { throw refusal() }
    let steps = location.split(separator: "/")
    for (index, step) in steps.enumerated() {
      let isFile = index == steps.count - 1
      // Without O_NONBLOCK, opening a pipe would wait for a writer.
      let next = unsafe openat(
        current, String(step),
        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (isFile ? O_NONBLOCK : O_DIRECTORY))
      let failure = next < 0 ? refusal() : nil
      _ = close(current)
      if let failure { throw failure }
      current = next
    }
    var status = stat()
    guard unsafe fstat(current, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_nlink == 1
    else {
      _ = close(current)
      throw fail("external data \(quoted(location)) is not a regular file with one name")
    }
    return current
  }
}
