import ArgumentParser
import BollyGANModel
import BollyGANTerminal

/// Options that say which latents to draw from.
struct LatentOptions: ParsableArguments {
  // Unconditional, so that a negative number is a value and not an option.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "One seed for all faces: the latents of torch.manual_seed(N); torch.randn(count, nz, 1, 1). "
        + "(default: 0)",
      valueName: "n"),
    transform: parseTorchSeed)
  var seed: Int64?

  @Option(
    help: ArgumentHelp(
      "Number of faces. (default: the cells of --grid, or 64; 4 for interpolate)",
      valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "One seed per face, such as 0,7,20-23 (23 included): the latents of "
        + "numpy.random.RandomState(seed).randn(1, nz), as in StyleGAN.",
      valueName: "list"),
    transform: SeedList.init)
  var seeds: SeedList?

  @Option(
    help: ArgumentHelp(
      "A .npy or .safetensors file of latents, shape [N, nz] or [N, nz, 1, 1]; - for standard "
        + "input.",
      valueName: "file"))
  var latents: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Truncation: a factor for the latents. Below 1, faces look more alike and often better.",
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
      throw ValidationError("Use only one of \(sources.joined(separator: " and ")).")
    }
    if seed != nil && manualSeed != nil {
      throw ValidationError("--seed is given more than once (--manualSeed is another name for it).")
    }
    if count != nil, let other = sources.first(where: { $0 != "--seed" }) {
      throw ValidationError(
        "--count cannot be combined with \(other), which already determines the number of faces.")
    }
    guard trunc.isFinite, abs(trunc) <= 1000 else {
      throw ValidationError("--trunc must be -1000 to 1000, not \(trunc).")
    }
  }

  /// The number of faces, or nil if only the file of latents has it.
  func statedCount(default defaultCount: Int) -> Int? {
    if let seeds { return seeds.seeds.count }
    return latents == nil ? count ?? defaultCount : nil
  }

  /// The latents, drawn on demand.
  ///
  /// - Parameters:
  ///   - size: The size of the model's latents.
  ///   - defaultCount: The number of latents if no option determines it.
  /// - Throws: `CommandFailure` if a file of latents cannot be used.
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

/// Parses a seed that `torch.manual_seed` accepts: −2^63 to 2^64 − 1, where seeds of 2^63 and above
/// mean the same as negative ones.
@Sendable private func parseTorchSeed(_ text: String) throws -> Int64 {
  if let seed = Int64(text) { return seed }
  guard let seed = UInt64(text) else {
    throw ValidationError("A seed is an integer from -2^63 to 2^64 - 1.")
  }
  return Int64(bitPattern: seed)
}
