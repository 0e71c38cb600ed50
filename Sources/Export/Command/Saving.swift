import BollyGANModel
import BollyGANTerminal

/// Writes a file, and gives it its name where the check, which gets what lies on the disk, passes; a
/// file that was there before stays as it was otherwise.
func save<Result>(
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

/// Writes a file and one beside it, and gives both their names where the check, which gets what lies
/// on the disk, passes.
func save<Result>(
  _ bytes: [UInt8], to output: String, beside data: [UInt8], at place: String,
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
      // The data takes its name first, so that no model is ever without the data that it names.
      try second.take()?.finish { result = try check(written, $0) }
    }
    return result!
  } catch let error as FileError {
    throw CommandFailure(writing: error)
  }
}
