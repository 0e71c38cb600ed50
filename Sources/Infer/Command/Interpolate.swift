import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal

/// Draws the faces between faces.
struct Interpolate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the way from face to face: an animation, a strip, or frames.",
    discussion: """
      From each latent to the next in --steps equal steps: N latents give (N - 1) * steps + 1 \
      pictures, with --loop N * steps, the last of which leads back to the first.

      The way follows the sphere that random latents lie on (slerp), or the straight line with \
      --linear, where faces half way are nearer to the mean.

      EXAMPLES

        An animation that goes round three faces:
          bollygan-infer interpolate --seeds 3,14,15 --loop --out walk.webp

        Nine pictures side by side:
          bollygan-infer interpolate --seeds 3,14 --steps 8 --out strip.png

        Frames in a folder, walk/frame0000.png and so on:
          bollygan-infer interpolate --seed 42 --count 10 --out walk/

        A film, through ffmpeg:
          bollygan-infer interpolate --count 20 --format rgb --out - |
            ffmpeg -f rawvideo -pixel_format rgb24 -video_size 64x64 \\
              -framerate 30 -i - walk.mp4
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var latents: LatentOptions

  @Option(
    help: ArgumentHelp(
      "walk.webp (an animation), walk.png (a strip), walk/ (frames), walk.npy, walk.rgb, or - for "
        + "standard output. (default: walk.webp)",
      valueName: "path"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "webp, png, npy or rgb, where --out does not say it.", valueName: "format"))
  var format: Destination.Format?

  @Option(
    help: ArgumentHelp(
      "Steps from each latent to the next. (default: 8 for a strip, else 30)", valueName: "n"))
  var steps: Int?

  @Flag(help: "Go along straight lines, not along the sphere.")
  var linear = false

  @Flag(help: "Go back from the last latent to the first.")
  var loop = false

  @Option(help: ArgumentHelp("Frames a second of an animation.", valueName: "n"))
  var fps: Double = 30

  @OptionGroup var report: ReportOptions
  @OptionGroup var engine: EngineOptions

  // As StyleGAN's gen_video.py calls them.
  @Option(name: .customLong("output"), help: .hidden)
  var output: String?
  @Option(name: .customLong("w-frames"), help: .hidden)
  var wFrames: Int?

  private static let defaultCount = 4

  func validate() throws {
    if out != nil && output != nil {
      throw ValidationError("--out is given twice, once as --output.")
    }
    if steps != nil && wFrames != nil {
      throw ValidationError("--steps is given twice, once as --w-frames.")
    }
    try report.checkStandardOutput(out: destination().path)
    guard (1...10_000).contains(try stepCount()) else {
      throw ValidationError("--steps \(try stepCount()) is not in 1...10000.")
    }
    // WebP keeps whole milliseconds, at least one.
    guard fps >= 0.1, fps <= 1000 else {
      throw ValidationError("--fps \(fps) is not in 0.1...1000.")
    }
    if let count = latents.statedCount(default: Self.defaultCount) {
      guard (2...Self.latentLimit).contains(count) else {
        throw ValidationError(
          "\(count) latents are no way from one to another: 2 to \(Self.latentLimit) are needed.")
      }
    }
  }

  private static let latentLimit = 10_000

  private func destination() throws -> Destination {
    try Destination(out: out ?? output ?? "walk.webp", format: format, streamed: .webp)
  }

  private func stepCount() throws -> Int {
    if let steps = steps ?? wFrames { return steps }
    if case .grid = try destination() { return 8 }
    return 30
  }

  func run() async throws {
    var stopwatch = Stopwatch()
    let destination = try destination()
    let model = try model.load()
    stopwatch.read()
    report.printNotes(model)
    var ends = try latents.source(size: model.weights.shape.latent, default: Self.defaultCount)
    guard (2...Self.latentLimit).contains(ends.count) else {
      throw CommandFailure(
        .badData, file: latents.latents,
        "\(ends.count) latents are no way from one to another: 2 to \(Self.latentLimit) are needed")
    }
    let walk = Walk(
      ends: ends.next(ends.count), size: ends.size, steps: try stepCount(), isLinear: linear,
      isLoop: loop)
    guard walk.count <= destination.faceLimit else {
      throw CommandFailure(
        .usage,
        "\(walk.count) pictures are more than the \(destination.faceLimit) that are drawn here; "
          + "take fewer --steps")
    }
    let artist = engine.artist(model.weights)
    stopwatch.loaded()
    var job = try DrawingJob(
      model: model, artist: artist,
      latents: LatentSource(walk: walk, between: ends), batch: engine.faces, report: report)
    job.millisecondsPerFrame = Int((1000 / fps).rounded())
    let grid = GridSize(columns: walk.count, rows: 1)
    let files = try await job.draw(to: destination, grid: grid)
    if report.json {
      try Report("interpolate", job, destination, grid: grid, files: files, stopwatch).print()
    }
  }
}

/// The latents on the way through some ends.
struct Walk {
  /// `[n, size]`, n at least 2.
  let ends: [Float]
  /// Numbers in a latent.
  let size: Int
  let steps: Int
  let isLinear: Bool
  let isLoop: Bool

  private var endCount: Int { ends.count / size }

  /// Latents on the way.
  var count: Int { isLoop ? endCount * steps : (endCount - 1) * steps + 1 }

  /// The latent after so many steps.
  subscript(step: Int) -> [Float] {
    let (leg, part) = step.quotientAndRemainder(dividingBy: steps)
    let from = ends[leg * size..<(leg + 1) * size]
    // The ends themselves are what was asked for, bit for bit.
    guard part > 0 else { return Array(from) }
    let next = (leg + 1) % endCount
    let to = ends[next * size..<(next + 1) * size]
    let t = Double(part) / Double(steps)
    return isLinear ? Latents.lerp(from, to, t) : Latents.slerp(from, to, t)
  }
}
