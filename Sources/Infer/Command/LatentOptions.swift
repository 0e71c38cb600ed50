import ArgumentParser
import BollyGANModel
import BollyGANTerminal

/// Where latent vectors come from.
struct LatentOptions: ParsableArguments {
  // A negative number is a value here, not an option.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seed of all faces: the latents of torch.manual_seed(N); torch.randn(count, nz, 1, 1). "
        + "(default: 0)",
      valueName: "n"),
    transform: parseTorchSeed)
  var seed: Int64?

  @Option(
    help: ArgumentHelp(
      "How many faces. (default: 64 or as many as --grid has cells; 4 to interpolate between)",
      valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "A seed for each face, like 0,7,20-23 (with 23): the latents of "
        + "numpy.random.RandomState(seed).randn(1, nz), as StyleGAN draws them.",
      valueName: "list"),
    transform: SeedList.init)
  var seeds: SeedList?

  @Option(
    help: ArgumentHelp(
      "Latents from a .npy or .safetensors file, - for standard input: shape [N, nz] or "
        + "[N, nz, 1, 1].",
      valueName: "file"))
  var latents: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Truncation: factor of the latents. Below 1 the faces are more alike and often better.",
      valueName: "psi"))
  var trunc: Float = 1

  @Option(
    name: .customLong("manualSeed"), parsing: .unconditional, help: .hidden,
    transform: parseTorchSeed)
  var manualSeed: Int64?

  func validate() throws {
    let sources = [
      ("--seed", seed != nil || manualSeed != nil), ("--seeds", seeds != nil),
      ("--latents", latents != nil),
    ].filter(\.1).map(\.0)
    if sources.count > 1 {
      throw ValidationError("\(sources.joined(separator: " and ")) exclude each other.")
    }
    if seed != nil && manualSeed != nil {
      throw ValidationError("--seed and --manualSeed are the same.")
    }
    if count != nil, let other = sources.first(where: { $0 != "--seed" }) {
      throw ValidationError("--count goes with --seed; \(other) says itself how many faces.")
    }
    guard trunc.isFinite, abs(trunc) <= 1000 else {
      throw ValidationError("--trunc \(trunc) is not in -1000...1000.")
    }
  }

  /// How many faces are asked for, as far as that is known without reading a file.
  func statedCount(default defaultCount: Int) -> Int? {
    if let seeds { return seeds.seeds.count }
    return latents == nil ? count ?? defaultCount : nil
  }

  /// The latents, drawn as they are asked for.
  ///
  /// - Parameters:
  ///   - size: Numbers in one latent vector of the model.
  ///   - defaultCount: How many where nothing says so.
  func source(size: Int, default defaultCount: Int) throws -> LatentSource {
    if let latents {
      return try LatentSource(file: latents, size: size, truncation: trunc)
    }
    if let seeds {
      return LatentSource(seeds: seeds.seeds, size: size, truncation: trunc)
    }
    return LatentSource(
      seed: seed ?? manualSeed ?? 0, count: count ?? defaultCount, size: size, truncation: trunc)
  }
}

/// A seed that `torch.manual_seed` takes: -2^63 to 2^64 − 1, the upper half meaning what the
/// negative ones mean.
@Sendable private func parseTorchSeed(_ text: String) throws -> Int64 {
  if let seed = Int64(text) { return seed }
  guard let seed = UInt64(text) else {
    throw ValidationError("A seed is a whole number from -2^63 to 2^64 - 1.")
  }
  return Int64(bitPattern: seed)
}
