import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal

/// The subcommand `interpolate`, which draws the faces between faces.
struct Interpolate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw a walk from face to face, as an animation, a strip, or frames.",
    discussion: """
      Goes from each latent to the next in --steps equal steps: N latents give (N - 1) * steps + 1 \
      frames. With --loop it returns to the first latent, which gives N * steps frames.

      The path follows the sphere on which random latents concentrate (slerp). With --linear it is \
      a straight line, on which faces half-way are closer to the mean face.

      EXAMPLES

        An animation that loops through three faces:
          bollygan-infer interpolate --seeds 3,14,15 --loop --out walk.webp

        Nine images side by side:
          bollygan-infer interpolate --seeds 3,14 --steps 8 --out strip.png

        Frames in a folder, walk/frame0000.png and so on:
          bollygan-infer interpolate --seed 42 --count 10 --out walk/

        A film, with ffmpeg:
          bollygan-infer interpolate --count 20 --format rgb --out - |
            ffmpeg -f rawvideo -pixel_format rgb24 -video_size 64x64 \\
              -framerate 30 -i - walk.mp4
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var latents: LatentOptions

  @Option(
    help: ArgumentHelp(
      "Output: walk.webp (an animation), walk.png (a strip), walk/ (frames), walk.npy, walk.rgb, "
        + "or - for standard output. (default: walk.webp)",
      valueName: "path"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Format, if --out does not imply it: webp, png, npy or rgb.", valueName: "format"))
  var format: Destination.Format?

  @Option(
    help: ArgumentHelp(
      "Steps from each latent to the next. (default: 8 for a strip, otherwise 30)", valueName: "n"))
  var steps: Int?

  @Flag(help: "Interpolate along straight lines instead of the sphere.")
  var linear = false

  @Flag(help: "Return from the last latent to the first.")
  var loop = false

  @Option(help: ArgumentHelp("Frames per second of an animation.", valueName: "n"))
  var fps: Double = 30

  @OptionGroup var report: ReportOptions
  @OptionGroup var engine: EngineOptions

  // The names in StyleGAN's gen_video.py.
  @Option(name: .customLong("output"), help: .hidden)
  var output: String?
  @Option(name: .customLong("w-frames"), help: .hidden)
  var wFrames: Int?

  private static let defaultCount = 4

  func validate() throws {
    if out != nil && output != nil {
      throw ValidationError("--out is given more than once (--output is another name for it).")
    }
    if steps != nil && wFrames != nil {
      throw ValidationError("--steps is given more than once (--w-frames is another name for it).")
    }
    try report.checkStandardOutput(out: destination().path)
    guard (1...10_000).contains(try stepCount()) else {
      throw ValidationError("--steps must be 1 to 10000, not \(try stepCount()).")
    }
    // WebP stores whole milliseconds, at least one.
    guard fps >= 0.1, fps <= 1000 else {
      throw ValidationError("--fps must be 0.1 to 1000, not \(fps).")
    }
    if let count = latents.statedCount(default: Self.defaultCount) {
      guard (2...Self.latentLimit).contains(count) else {
        throw ValidationError(Self.wrongCount(count) + ".")
      }
    }
  }

  private static let latentLimit = 10_000

  private static func wrongCount(_ count: Int) -> String {
    "interpolation needs 2 to \(latentLimit) latents, got \(count)"
  }

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
      throw CommandFailure(.badData, file: latents.latents, Self.wrongCount(ends.count))
    }
    let walk = Walk(
      ends: ends.next(ends.count), size: ends.size, steps: try stepCount(), isLinear: linear,
      isLoop: loop)
    guard walk.count <= destination.faceLimit else {
      throw CommandFailure(
        .usage,
        "\(walk.count) frames are more than the \(destination.faceLimit) that this output takes; "
          + "use fewer --steps")
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
      try printJSON(Report("interpolate", job, destination, grid: grid, files: files, stopwatch))
    }
  }
}

/// The latents along a path from one given latent to the next.
struct Walk {
  /// The given latents, `[n, size]`, n at least 2.
  let ends: [Float]
  /// The size of a latent.
  let size: Int
  /// Steps from each given latent to the next.
  let steps: Int
  /// Whether paths are straight lines, instead of arcs on a sphere.
  let isLinear: Bool
  /// Whether the path returns to the first latent.
  let isLoop: Bool

  private var endCount: Int { ends.count / size }

  /// The number of latents along the path.
  var count: Int { isLoop ? endCount * steps : (endCount - 1) * steps + 1 }

  /// The latent after `step` steps.
  subscript(step: Int) -> [Float] {
    let (leg, part) = step.quotientAndRemainder(dividingBy: steps)
    let from = ends[leg * size..<(leg + 1) * size]
    // A given latent itself is returned bit for bit.
    guard part > 0 else { return Array(from) }
    let next = (leg + 1) % endCount
    let to = ends[next * size..<(next + 1) * size]
    let t = Double(part) / Double(steps)
    return isLinear ? Latents.lerp(from, to, t) : Latents.slerp(from, to, t)
  }
}
