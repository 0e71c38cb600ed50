import BollyGANModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The explorer: one HTML file that contains a generator, its engine and controls to play with it.
///
/// The page opens from a disk or any web server and loads nothing: its policy allows only its own
/// script and style, WebAssembly, and workers and images that it makes itself. The same generator
/// gives the same bytes.
public enum ExplorerPage {
  /// How kernels can be stored in a page; half the bytes is the default.
  public static let storages: [ONNXExportOptions.Storage] = [.f16, .f32]

  /// The page for a generator.
  ///
  /// - Parameters:
  ///   - file: the generator and what names it.
  ///   - name: the file's name, for commands that the page shows.
  ///   - storage: how kernels are stored, one of ``storages``.
  /// - Returns: the bytes of an HTML file.
  public static func html(
    for file: GeneratorFile, name: String, storage: ONNXExportOptions.Storage = .f16
  ) -> [UInt8] {
    let weights = TensorFormat.safetensors.encoded(
      file.weights.storedTensors(type: storage == .f32 ? .f32 : .f16), metadata: [:],
      title: "BollyGAN generator", side: file.weights.shape.side)
    let engine = PackageResources.engine_wasm
    let card = ModelCard(file)
    let facts = Facts(
      version: bollyganVersion, model: file.id, file: name, isShipped: card.isShipped,
      side: file.weights.shape.side, channels: file.weights.shape.channels,
      slope: file.weights.slope, storage: storage == .f32 ? "float32" : "float16",
      engineHash: SHA256.hex(of: engine), weightsHash: SHA256.hex(of: weights),
      card: card.facts, limits: card.limits)

    let style = PackageResources.page_css
    let script = Array(joined(scripts).utf8)
    let policy =
      "default-src 'none'; script-src '\(hash(script))' 'wasm-unsafe-eval'; "
      + "style-src '\(hash(style))'; worker-src blob:; img-src blob: data:; base-uri 'none'; "
      + "form-action 'none'"
    return filled(
      PackageResources.index_html,
      [
        "policy": Array(policy.utf8), "title": Array("BollyGAN explorer".utf8), "style": style,
        "facts": facts.json, "worker": PackageResources.worker_js,
        "engine": base64(engine), "weights": base64(weights), "script": script,
      ])
  }

  /// The generator's file within a page, as the page itself reads it; nil if there is none.
  static func weights(in page: [UInt8]) -> [UInt8]? {
    let start = Array("<script type=\"text/plain\" id=\"weights\">".utf8)
    guard let from = page.firstRange(of: start)?.upperBound,
      let to = page[from...].firstIndex(of: UInt8(ascii: "<")),
      let weights = Data(base64Encoded: Data(page[from..<to]))
    else { return nil }
    return Array(weights)
  }

  /// The modules of the page, each after those that it needs while it loads.
  private static let scripts: [[UInt8]] = [
    PackageResources.bytes_js, PackageResources.notices_js, PackageResources.latents_js,
    PackageResources.faces_js, PackageResources.npy_js, PackageResources.png_js,
    PackageResources.fragment_js, PackageResources.model_js, PackageResources.pool_js,
    PackageResources.app_js, PackageResources.stage_js, PackageResources.plane_js,
    PackageResources.wall_js, PackageResources.kept_js, PackageResources.mixing_js,
    PackageResources.walk_js, PackageResources.about_js, PackageResources.tabs_js,
    PackageResources.main_js,
  ]

  /// Joins several modules into one. A file cannot import a part of itself, so the modules share a
  /// scope, and their names are unique. Imports, which run from `import` to a semicolon at the end
  /// of a line, are left out; exports become plain declarations.
  private static func joined(_ modules: [[UInt8]]) -> String {
    var result = "\n"
    for module in modules {
      var isImport = false
      let text = String(decoding: module, as: UTF8.self)
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        isImport = isImport || line.hasPrefix("import ")
        if !isImport { result += line.trimmingPrefix("export ") + "\n" }
        if isImport, line.hasSuffix(";") { isImport = false }
      }
    }
    return result
  }

  /// A template with a value in place of each `{{name}}`.
  private static func filled(_ template: [UInt8], _ values: [String: [UInt8]]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(template.count + values.values.reduce(0) { $0 + $1.count })
    var rest = template[...]
    while let open = rest.firstRange(of: Array("{{".utf8)),
      let close = rest[open.upperBound...].firstRange(of: Array("}}".utf8))
    {
      let name = String(decoding: rest[open.upperBound..<close.lowerBound], as: UTF8.self)
      guard let value = values[name] else { preconditionFailure("no value for \(name)") }
      result += rest[..<open.lowerBound]
      result += value
      rest = rest[close.upperBound...]
    }
    return result + rest
  }

  /// What a content security policy calls the text of an element.
  private static func hash(_ text: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(text)
    return "sha256-" + String(decoding: base64(hash.digest()), as: UTF8.self)
  }

  private static func base64(_ bytes: [UInt8]) -> [UInt8] { Array(Data(bytes).base64EncodedData()) }
}

/// What the page knows of its generator.
private struct Facts: Encodable {
  let version: String
  /// SHA-256 of the tensors of the file that the page was made from, as images name it.
  let model: String
  let file: String
  let isShipped: Bool
  let side: Int
  let channels: Int
  let slope: Float
  let storage: String
  let engineHash: String
  let weightsHash: String
  let card: [[String]]
  let limits: [String]

  /// JSON that can be the content of a `script` element: no text in it ends the element.
  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("facts are finite") }
    return data.flatMap { $0 == UInt8(ascii: "<") ? Array("\\u003c".utf8) : [$0] }
  }
}
