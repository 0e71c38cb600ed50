import BollyGANModel
import BollyGANPictures

/// The metadata of an image file, from which every face in it can be drawn again.
///
/// It contains only what determines the pixels: no date, no thread count, no version.
struct Provenance {
  let model: LoadedModel
  let origin: LatentSource.Origin
  let truncation: Float
  let rule: PixelRule
  /// The number of latents, if a latent depends on it; otherwise nil.
  let total: Int?

  /// The metadata of faces drawn from `latents`.
  init(model: LoadedModel, latents: LatentSource, rule: PixelRule) {
    self.model = model
    origin = latents.origin
    truncation = latents.truncation
    self.rule = rule
    // torch.randn draws the last 16 numbers of a tensor again if its size is not a multiple of 16.
    total = latents.size.isMultiple(of: 16) ? nil : latents.count
  }

  /// The texts of a PNG that shows the faces `indices`, in the order of its cells.
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

  /// Numbers in the form that `--seeds` accepts: `0-63`, `5,7,20-23`.
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

  /// The seed of a face, its own or shared with others; nil if it has none.
  func seed(_ index: Int) -> Int64? {
    switch origin {
    case .torch(let seed): seed
    case .numpy(let seeds): Int64(seeds[index])
    case .file, .walk: nil
    }
  }

  /// The file name of a face in a folder: `seed42-0007.png` for the eighth face of seed 42,
  /// `seed0042.png` for a face with its own seed (StyleGAN's name), `latent0007.png` for a face
  /// from a file of latents, `frame0007.png` for a frame of a walk.
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
