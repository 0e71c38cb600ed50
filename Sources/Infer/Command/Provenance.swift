import BollyGANModel
import BollyGANPictures

/// What a picture file says of itself, so that each face can be drawn again.
///
/// Only what determines the pixels is told: no time, no thread count, no version.
struct Provenance {
  let model: LoadedModel
  let origin: LatentSource.Origin
  let truncation: Float
  let rule: PixelRule
  /// Latents in all, where a latent depends on that; else nil.
  let total: Int?

  init(model: LoadedModel, latents: LatentSource, rule: PixelRule) {
    self.model = model
    origin = latents.origin
    truncation = latents.truncation
    self.rule = rule
    // torch.randn draws the end of what is no whole number of blocks of 16 again.
    total = latents.size.isMultiple(of: 16) ? nil : latents.count
  }

  /// For a picture of the faces `indices`, in the order of its cells.
  func texts(faces indices: Range<Int>, more: [(String, String)] = []) -> [PNGText] {
    var texts = [("model", model.id)] + texts(origin, indices, total: total)
    texts.append(("truncation", "\(truncation)"))
    if rule != .torchvision { texts.append(("pixel-rule", rule.rawValue)) }
    return (texts + more).map { PNGText(keyword: "bollygan:\($0.0)", text: $0.1) }
  }

  private func texts(
    _ origin: LatentSource.Origin, _ indices: Range<Int>, total: Int?
  ) -> [(String, String)] {
    switch origin {
    case .torch(let seed):
      return [("random", "torch"), ("seed", "\(seed)"), ("index", list(indices.map { $0 }))]
        + (total.map { [("count", "\($0)")] } ?? [])
    case .numpy(let seeds):
      return [("random", "numpy"), ("seed", list(seeds[indices].map { Int($0) }))]
    case .file(_, let sha256):
      return [("latents", "sha256:\(sha256)"), ("index", list(indices.map { $0 }))]
    case .walk(let ends, let count, let steps, let isLinear, let isLoop):
      return texts(ends, 0..<count, total: total == nil ? nil : count)
        + [
          ("path", isLinear ? "linear" : "slerp"), ("steps", "\(steps)"), ("loop", "\(isLoop)"),
          ("frame", list(indices.map { $0 })),
        ]
    }
  }

  /// `0-63`, `5,7,20-23`: what `--seeds` takes.
  private func list(_ numbers: [Int]) -> String {
    var ranges: [(first: Int, last: Int)] = []
    for number in numbers {
      if let last = ranges.last, last.last + 1 == number {
        ranges[ranges.count - 1].last = number
      } else {
        ranges.append((number, number))
      }
    }
    return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ",")
  }

  /// The seed that a face has, alone or with others.
  func seed(_ index: Int) -> Int64? {
    switch origin {
    case .torch(let seed): seed
    case .numpy(let seeds): Int64(seeds[index])
    case .file, .walk: nil
    }
  }

  /// The name of a face's own file: `seed42-0007.png` for the eighth face of seed 42,
  /// `seed0042.png` for a seed of its own (StyleGAN's name), `latent0007.png` from a file.
  func fileName(_ index: Int) -> String {
    func four(_ number: some BinaryInteger) -> String {
      String(repeating: "0", count: max(0, 4 - "\(number)".count)) + "\(number)"
    }
    return switch origin {
    case .torch(let seed): "seed\(seed)-\(four(index)).png"
    case .numpy(let seeds): "seed\(four(seeds[index])).png"
    case .file: "latent\(four(index)).png"
    case .walk: "frame\(four(index)).png"
    }
  }
}
