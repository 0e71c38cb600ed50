/// What a generated picture was made of: enough to make it again.
///
/// Only what changes the picture is in it. Threads, batches and instruction sets are not, so the
/// same picture carries the same text.
public struct PictureOrigin: Hashable, Sendable {
  /// Where a latent vector came from.
  public indirect enum Latent: Hashable, Sendable {
    /// Row `index` of `torch.manual_seed(seed); torch.randn(count, size)`.
    ///
    /// `count` belongs to it only where the size of a latent is no multiple of 16, for then torch
    /// draws the end of the whole block anew; leave it nil elsewhere.
    case torch(seed: Int64, index: Int, count: Int? = nil)
    /// `numpy.random.RandomState(seed).randn(1, size)`.
    case numpy(seed: UInt32)
    /// Row `index` of the file with this SHA-256, in hexadecimal digits.
    case file(sha256: String, index: Int)
    /// `position` (0…1) of the way between two latents, along the arc or the straight line.
    case between(Latent, Latent, position: Double, spherical: Bool)
  }

  /// The model: SHA-256 of its tensors, in hexadecimal digits.
  public var model: String
  /// The latent before truncation.
  public var latent: Latent
  /// What the latent was multiplied by.
  public var truncation: Double

  /// The origin of one picture.
  public init(model: String, latent: Latent, truncation: Double = 1) {
    self.model = model
    self.latent = latent
    self.truncation = truncation
  }

  /// Text for a file that holds this picture alone: `bollygan.model`, `bollygan.latent` (`torch`,
  /// `numpy`, `file ...`, `slerp ...` or `lerp ...`), `bollygan.seed`, `bollygan.index`,
  /// `bollygan.count`, as far as they apply, and `bollygan.truncation`.
  public var texts: [PNGText] {
    var texts = [PNGText(keyword: "bollygan.model", text: model)]
    texts += latent.fields.map { PNGText(keyword: "bollygan." + $0.name, text: $0.value) }
    texts.append(PNGText(keyword: "bollygan.truncation", text: "\(truncation)"))
    return texts
  }

  /// Text for a grid: `bollygan.model` and `bollygan.cells`, where each cell has a line like
  /// `row=0 column=3 latent=torch seed=42 index=3 truncation=1.0`.
  ///
  /// - Parameters:
  ///   - origins: Of the pictures, in the order in which ``grid(_:columns:padding:)`` has them.
  ///   - columns: Of the grid.
  /// - Precondition: all come from one model, and there is one at least.
  public static func texts(ofGrid origins: [PictureOrigin], columns: Int = 8) -> [PNGText] {
    precondition(
      Set(origins.map(\.model)).count == 1, "a grid shows pictures of one model, at least one")
    let layout = GridLayout(count: origins.count, columns: columns)
    let lines = origins.enumerated().map { i, origin in
      let cell = layout.cell(i)
      return "row=\(cell.row) column=\(cell.column) \(origin.latent.line) "
        + "truncation=\(origin.truncation)"
    }
    return [
      PNGText(keyword: "bollygan.model", text: origins[0].model),
      PNGText(keyword: "bollygan.cells", text: lines.joined(separator: "\n")),
    ]
  }
}

extension PictureOrigin.Latent {
  fileprivate var fields: [(name: String, value: String)] {
    switch self {
    case .torch(let seed, let index, let count):
      [("latent", "torch"), ("seed", "\(seed)"), ("index", "\(index)")]
        + (count.map { [("count", "\($0)")] } ?? [])
    case .numpy(let seed): [("latent", "numpy"), ("seed", "\(seed)")]
    case .file(let sha256, let index): [("latent", "file \(sha256)"), ("index", "\(index)")]
    case .between(let from, let to, let position, let spherical):
      [
        (
          "latent",
          "\(spherical ? "slerp" : "lerp") \(position) from (\(from.line)) to (\(to.line))"
        )
      ]
    }
  }

  fileprivate var line: String {
    fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
  }
}
