import BollyGANModel
import BollyGANTerminal

/// Writes a file under a temporary name, and renames it if the check passes.
///
/// The check receives the bytes as read back from disk. If it throws, an existing file stays
/// unchanged.
func saveChecked<Result>(
  _ bytes: [UInt8], to output: String, check: ([UInt8]) throws -> Result
) throws -> Result {
  if output == "-" {
    let result = try check(bytes)
    try StandardOutput.write(bytes)
    return result
  }
  do {
    var writer = try FileWriter(path: output)
    guard writer.canBeReadBack else {
      let result = try check(bytes)
      try writer.append(bytes)
      try writer.finish()
      return result
    }
    try writer.append(bytes)
    var result: Result?
    try writer.finish { result = try check($0) }
    return result!
  } catch let error as FileError {
    throw CommandFailure(writing: error)
  }
}

/// Writes two files under temporary names, and renames both if the check passes.
///
/// The check receives the bytes of both as read back from disk.
func saveChecked<Result>(
  _ bytes: [UInt8], to output: String, with data: [UInt8], at place: String,
  check: ([UInt8], [UInt8]) throws -> Result
) throws -> Result {
  do {
    var writer = try FileWriter(path: output)
    var second: FileWriter? = try FileWriter(path: place)
    guard writer.canBeReadBack, second?.canBeReadBack == true else {
      throw CommandFailure(
        .cannotCreate, file: output, "--external-data needs two files in a folder")
    }
    try writer.append(bytes)
    try second?.append(data)
    var result: Result?
    try writer.finish { written in
      // Rename the data first, so that there is never a model without its data.
      try second.take()?.finish { result = try check(written, $0) }
    }
    return result!
  } catch let error as FileError {
    throw CommandFailure(writing: error)
  }
}
