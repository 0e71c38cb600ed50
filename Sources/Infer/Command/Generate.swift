import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal

/// Draws faces.
struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw faces: a grid, a file for each, numbers, or raw frames.",
    discussion: """
      A seed means what it means elsewhere. --seed 42 --count 64 draws the latents of PyTorch's \
      torch.manual_seed(42); torch.randn(64, nz, 1, 1). --seeds 0-63 draws one face for each seed, \
      with the latents of numpy.random.RandomState(seed).randn(1, nz), as StyleGAN's scripts do.

      The same model, seed and flags give the same bytes for any --threads and any --batch. A face \
      does not depend on its neighbours either, so --count 1 draws the first face of --count 64; \
      except with --seed where the model's nz is no multiple of 16 (64 and 128 are, 100 is not): \
      torch itself draws the last 16 numbers of such a tensor twice. With --seeds never.

      Every PNG carries the model's hash, seed, index and truncation as text (iTXt), a grid for each \
      of its cells, so that any face can be found again.

      EXAMPLES

        A grid of 64 faces in faces.png:
          bollygan-infer --seed 42

        One file for each face, faces/seed0000.png and so on:
          bollygan-infer --seeds 0,7,20-23 --out faces/

        What PyTorch's generator returns in eval mode, [N, C, 64, 64] in -1...1:
          bollygan-infer --seed 42 --count 64 --out faces.npy

        Latents of your own, z of shape [N, nz], from Python:
          numpy.save("z.npy", z.astype("float32"))
          bollygan-infer --latents z.npy --out mine.png

        A film of 300 faces, through ffmpeg:
          bollygan-infer --count 300 --format rgb --out - |
            ffmpeg -f rawvideo -pixel_format rgb24 -video_size 64x64 \\
              -framerate 12 -i - faces.mp4
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var latents: LatentOptions

  @Option(
    help: ArgumentHelp(
      "faces.png (a grid), faces/ (a PNG for each), faces.npy (float32 [N, C, side, side] in "
        + "-1...1), faces.rgb (raw frames), or - for standard output. (default: faces.png)",
      valueName: "path"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "png, npy or rgb, where --out does not say it. rgb is a frame of side x side x 3 bytes for "
        + "each face, of gray models as well.",
      valueName: "format"))
  var format: Destination.Format?

  @Option(
    help: ArgumentHelp(
      "Columns and rows of the grid, like 8x4. (default: the nearest to a square)",
      valueName: "CxR"))
  var grid: GridSize?

  @OptionGroup var report: ReportOptions
  @OptionGroup var engine: EngineOptions

  // As StyleGAN's scripts and PyTorch's DCGAN example call it: always a folder.
  @Option(name: .customLong("outdir"), help: .hidden)
  var outdir: String?
  @Option(name: .customLong("outf"), help: .hidden)
  var outf: String?

  func validate() throws {
    if [out, outdir, outf].compactMap({ $0 }).count > 1 {
      throw ValidationError("--out is given twice, perhaps once under another name.")
    }
    let destination = try destination()
    try report.checkStandardOutput(out: destination.path)
    if case .animation = destination {
      throw ValidationError("An animation is made by 'bollygan-infer interpolate'.")
    }
    if let count = latents.statedCount(default: defaultCount) {
      guard (1...destination.faceLimit).contains(count) else {
        throw ValidationError("--count \(count) is not in 1...\(destination.faceLimit) here.")
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

  /// A stated grid is filled.
  private var defaultCount: Int { grid?.cells ?? 64 }

  private func checkGrid(_ count: Int) throws {
    guard let grid else { return }
    guard case .grid = try destination() else {
      throw ValidationError("--grid is for one PNG of all faces.")
    }
    guard count <= grid.cells else {
      throw ValidationError(
        "\(count) faces do not fit --grid \(grid.columns)x\(grid.rows), which has \(grid.cells) "
          + "cells.")
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
        "holds \(source.count) latents, at most \(destination.faceLimit) are drawn here")
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
      try Report("generate", job, destination, grid: grid, files: files, stopwatch).print()
    }
  }
}
