public import BollyGANModel

/// A generator as plain C99: a header of simple loops, and a file of float32 weights.
///
/// The header needs no library, not even C's own, allocates nothing and keeps no state, so it runs
/// wherever there is a C compiler. Normalisation is folded into the kernels.
public struct CSource: Sendable {
  /// The header's text.
  public let header: String
  /// The weights, little-endian float32: for each layer the kernel `[in, out, 4, 4]`, then the
  /// biases.
  public let weights: [UInt8]

  /// Translates a generator to C.
  ///
  /// - Parameters:
  ///   - generator: the weights to write.
  ///   - name: prefix of all names in the header, see ``identifier(_:)``.
  ///   - data: the name of the file of weights, for the comments.
  public init(_ generator: GeneratorWeights, name: String, data: String) {
    let layers = generator.layers.map { $0.folded(outputAxis: 1) }
    var numbers: [Float] = []
    var calls: [String] = []
    let shape = generator.shape
    let channels = shape.generatorChannels
    var side = 1
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let kernel = "weights + \(numbers.count)"
      numbers += layer.kernel.values
      let bias = "weights + \(numbers.count)"
      let (inputs, outputs) = (channels[index], channels[index + 1])
      numbers += layer.bias ?? [Float](repeating: 0, count: outputs)
      // Maps alternate between two halves of the scratch memory.
      let from = index == 0 ? "latent" : index % 2 == 1 ? "a" : "b"
      let to = isLast ? "image" : index % 2 == 0 ? "a" : "b"
      calls.append(
        index == 0
          ? "\(name)_project(\(kernel), \(bias), \(inputs), \(outputs), \(from), \(to));"
          : "\(name)_double(\(kernel), \(bias), \(inputs), \(outputs), \(side), \(from), \(to), "
            + "plane);"
      )
      side = index == 0 ? 4 : 2 * side
      if !isLast { calls.append("\(name)_rectify(\(outputs * side * side), \(to));") }
    }
    // The largest hidden map; the planes of the last layer have half the image's side.
    let map = (0..<shape.doublings).map { channels[$0 + 1] * (4 << $0) * (4 << $0) }.max()!
    weights = Array(StoredTensor(Tensor(shape: [numbers.count], values: numbers)).bytes)
    header = Self.template(
      name, data,
      values: [
        "LATENT": "\(shape.latent)", "CHANNELS": "\(shape.channels)", "SIDE": "\(shape.side)",
        "WEIGHTS": "\(numbers.count)",
        "SCRATCH": "\(2 * map + shape.side * shape.side / 4)", "MAP": "\(map)",
        "SLOPE": "\(generator.slope)f", "CALLS": calls.joined(separator: "\n  "),
        "KIND": shape.channels == 1 ? "gray" : "RGB", "VERSION": bollyganVersion,
        "MAGIC": shape.channels == 1 ? "P5" : "P6",
      ])
  }

  /// The generator in a file of weights, to check the file; nil if it has the wrong length.
  ///
  /// - Parameter like: a generator of the same shape and slope.
  static func generator(_ weights: [UInt8], like: GeneratorWeights) -> GeneratorWeights? {
    let channels = like.shape.generatorChannels
    var rest = weights[...]
    var result = like
    func take(_ shape: [Int]) -> [Float]? {
      let count = 4 * shape.reduce(1, *)
      guard rest.count >= count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return try? StoredTensor(type: .f32, shape: shape, bytes: rest.prefix(count)).floats()
    }
    for index in like.layers.indices {
      let kernel = [channels[index], channels[index + 1], 4, 4]
      guard let values = take(kernel), let bias = take([channels[index + 1]]) else { return nil }
      let isLast = index == like.layers.count - 1
      result.layers[index] = LayerWeights(
        kernel: Tensor(shape: kernel, values: values), bias: isLast ? bias : nil,
        norm: isLast ? nil : NormWeights(bias: bias))
    }
    return rest.isEmpty ? result : nil
  }

  /// A prefix for names in C, from a file's name up to its first dot: other characters than ASCII
  /// letters and digits become underscores.
  public static func identifier(_ fileName: String) -> String {
    var name = ""
    for byte in fileName.utf8.prefix(while: { $0 != UInt8(ascii: ".") }).prefix(64) {
      let character = Character(UnicodeScalar(byte))
      name.append(byte < 128 && (character.isLetter || character.isNumber) ? character : "_")
    }
    // C reserves names that begin with an underscore.
    return name.first.map { $0.isLetter ? name : "g" + name } ?? "faces"
  }

  /// The header with the name, in capitals too, and the values filled in.
  private static func template(_ name: String, _ data: String, values: [String: String]) -> String {
    var text = source
    let commented = String(
      data.unicodeScalars.map { (0x20..<0x7F).contains($0.value) ? Character($0) : "_" })
    // No file name can end the comment.
    let all = values.merging([
      "NAME": name, "NAME_UP": name.uppercased(), "DATA": commented.replacing("*/", with: "* /"),
    ]) { $1 }
    for (key, value) in all { text = text.replacing("@\(key)@", with: value) }
    return text
  }
}
