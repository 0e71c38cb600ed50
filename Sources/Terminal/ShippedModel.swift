internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The generator that ships with the program.
package enum ShippedModel {
  /// The name of its file, in `models` of a checkout and in `share/bollygan` of an installation.
  package static let fileName = "bollygan-64.safetensors"

  /// The environment variable that names another model.
  package static let variable = "BOLLYGAN_MODEL"

  /// The path of the default model, used when the command line does not name one.
  ///
  /// - Throws: ``CommandFailure`` with status 66 and the places that were searched.
  package static func path() throws(CommandFailure) -> String {
    if let path = environmentValue(variable), !path.isEmpty { return path }
    let places = executablePath.map(places(forExecutable:)) ?? []
    if let place = places.first(where: isReadable) { return place }
    let looked = places.map { escaped($0, limit: 1000) }.joined(separator: ", ")
    throw CommandFailure(
      .missingInput,
      "the model that ships with this program is missing (looked for "
        + "\(looked.isEmpty ? fileName : looked)); name a model with --model or in \(variable)")
  }

  /// The places to look for the model of an executable: first where `make install` puts it, then
  /// in the checkout of a build (`.build/<triple>/release/bollygan-infer`).
  package static func places(forExecutable path: String) -> [String] {
    var folders = path.split(separator: "/").dropLast()
    func join(_ folders: ArraySlice<Substring>, _ rest: String) -> String {
      folders.map { "/" + $0 }.joined() + "/" + rest
    }
    var places = [join(folders.dropLast(), "share/bollygan/\(fileName)")]
    while let build = folders.lastIndex(where: { $0.hasPrefix(".build") }) {
      folders = folders[..<build]
      places.append(join(folders, "models/\(fileName)"))
    }
    return places
  }

  private static func isReadable(_ path: String) -> Bool {
    unsafe path.withPath { unsafe access($0, R_OK) } == 0
  }
}

/// The path of the running executable, with links followed so that a link to it finds its files.
package let executablePath: String? = {
  #if os(macOS)
    var size: UInt32 = 0
    _ = unsafe _NSGetExecutablePath(nil, &size)
    var buffer = [CChar](repeating: 0, count: Int(size) + 1)
    guard unsafe _NSGetExecutablePath(&buffer, &size) == 0 else { return nil }
    let path = buffer
  #else
    let path: [CChar] = Array("/proc/self/exe".utf8CString)
  #endif
  guard let resolved = unsafe realpath(path, nil) else { return nil }
  defer { unsafe free(resolved) }
  return unsafe String(cPath: resolved)
}()
