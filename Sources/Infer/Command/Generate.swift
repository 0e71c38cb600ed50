import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal

/// The subcommand `generate`, the default, which draws faces.
struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw faces as a grid, as separate files, as an array, or as raw frames.",
    discussion: """
      Seeds mean what they mean elsewhere. --seed 42 --count 64 draws the latents of PyTorch's \
      torch.manual_seed(42); torch.randn(64, nz, 1, 1). --seeds 0-63 draws one face per seed, with \
      the latents of numpy.random.RandomState(seed).randn(1, nz), as StyleGAN's scripts do.

      The same model, seed and options give the same bytes for any --threads and any --batch. A \
      face does not depend on its neighbours either, so --count 1 draws the first face of \
      --count 64. The one exception is --seed with a model whose nz is not a multiple of 16 (64 \
      and 128 are, 100 is not): for such tensors torch.randn draws the last 16 numbers twice.

      Every PNG records the model's hash, seed, index and truncation as text (iTXt). A grid \
      records them for every cell, so any face can be drawn again.

      EXAMPLES

        A grid of 64 faces in faces.png:
          bollygan-infer --seed 42

        One file per face, faces/seed0000.png and so on:
          bollygan-infer --seeds 0,7,20-23 --out faces/

        What PyTorch's generator returns in eval mode, [N, C, 64, 64] in -1...1:
          bollygan-infer --seed 42 --count 64 --out faces.npy

        Your own latents z of shape [N, nz], from Python:
          numpy.save("z.npy", z.astype("float32"))
          bollygan-infer --latents z.npy --out mine.png

        A film of 300 faces, with ffmpeg:
          bollygan-infer --count 300 --format rgb --out - |
            ffmpeg -f rawvideo -pixel_format rgb24 -video_size 64x64 \\
              -framerate 12 -i - faces.mp4
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var latents: LatentOptions

  @Option(
    help: ArgumentHelp(
      "Output: faces.png (a grid), faces/ (a PNG per face), faces.npy (float32 [N, C, side, side] "
        + "in -1...1), faces.rgb (raw frames), or - for standard output. (default: faces.png)",
      valueName: "path"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Format, if --out does not imply it: png, npy or rgb. rgb writes side x side x 3 bytes per "
        + "face, for gray models too.",
      valueName: "format"))
  var format: Destination.Format?

  @Option(
    help: ArgumentHelp(
      "Columns and rows of the grid, such as 8x4. (default: as square as possible)",
      valueName: "CxR"))
  var grid: GridSize?

  @OptionGroup var report: ReportOptions
  @OptionGroup var engine: EngineOptions

  // The names in StyleGAN's scripts and in PyTorch's DCGAN example. Always a folder.
  @Option(name: .customLong("outdir"), help: .hidden)
  var outdir: String?
  @Option(name: .customLong("outf"), help: .hidden)
  var outf: String?

  func validate() throws {
    if [out, outdir, outf].compactMap({ $0 }).count > 1 {
      throw ValidationError(
        "--out is given more than once (--outdir and --outf are other names for it).")
    }
    let destination = try destination()
    try report.checkStandardOutput(out: destination.path)
    if case .animation = destination {
      throw ValidationError("For an animation, use 'bollygan-infer interpolate'.")
    }
    if let count = latents.statedCount(default: defaultCount) {
      guard (1...destination.faceLimit).contains(count) else {
        throw ValidationError(
          "This output takes 1 to \(destination.faceLimit) faces, not \(count).")
      }
      try checkGrid(count)
    }
  }

  private func destination() throws -> Destination {
    if let folder = outdir ?? outf {
      return try Destination(out: folder + "/", format: format, streamed: .png)
    }
    return try Destination(out: out ?? "faces.png", format: format, streamed: .png)
  }

  /// One face for each cell of the grid.
  private var defaultCount: Int { grid?.cells ?? 64 }

  private func checkGrid(_ count: Int) throws {
    guard let grid else { return }
    guard case .grid = try destination() else {
      throw ValidationError("--grid applies only to a single PNG of all faces.")
    }
    guard count <= grid.cells else {
      throw ValidationError(
        "--grid \(grid.columns)x\(grid.rows) has \(grid.cells) cells, too few for \(count) faces.")
    }
  }

  func run() async throws {
    var stopwatch = Stopwatch()
    let destination = try destination()
    let model = try model.load()
    stopwatch.read()
    report.printNotes(model)
    let source = try latents.source(size: model.weights.shape.latent, default: defaultCount)
    guard source.count <= destination.faceLimit else {
      throw CommandFailure(
        .badData, file: latents.latents,
        "contains \(source.count) latents, but this output takes at most \(destination.faceLimit)")
    }
    try checkGrid(source.count)
    let artist = engine.artist(model.weights)
    stopwatch.loaded()
    var job = try DrawingJob(
      model: model, artist: artist, latents: source, batch: engine.faces,
      report: report)
    let grid = grid ?? GridSize(count: source.count)
    let files = try await job.draw(to: destination, grid: grid)
    if report.json {
      try printJSON(Report("generate", job, destination, grid: grid, files: files, stopwatch))
    }
  }
}
