import ArgumentParser
import BollyGANRuns
import BollyGANTraining

/// Option names of other trainers that are accepted too: those of PyTorch's DCGAN example and of
/// StyleGAN.
struct Aliases: ParsableArguments {
  @Option(help: .hidden) var dataroot: String?
  @Option(name: .customLong("data"), help: .hidden) var dataFolder: String?
  @Option(help: .hidden) var outf: String?
  @Option(help: .hidden) var outdir: String?
  @Option(name: .customLong("batchSize"), help: .hidden) var batchSize: Int?
  @Option(name: .customLong("imageSize"), help: .hidden) var imageSize: Int?
  @Option(help: .hidden) var nz: Int?
  @Option(help: .hidden) var ngf: Int?
  @Option(help: .hidden) var ndf: Int?
  @Option(help: .hidden) var niter: Int?
  @Option(name: .customLong("netG"), help: .hidden) var netG: String?
  @Option(name: .customLong("netD"), help: .hidden) var netD: String?
  @Option(name: .customLong("manualSeed"), help: .hidden) var manualSeed: Int64?
  @Option(help: .hidden) var workers: Int?
  @Option(help: .hidden) var snap: Int?
  @Flag(help: .hidden) var dryRun = false

  /// Copies each value to our own option, unless that is set.
  func merge(into train: inout Train) throws {
    func merge<Value: Equatable>(_ alias: String, _ value: Value?, _ option: inout Value?) throws {
      guard let value else { return }
      guard option == nil || option == value else {
        throw ValidationError("--\(alias) contradicts our own option for the same setting.")
      }
      option = value
    }
    try merge("dataroot", dataroot, &train.task.data)
    try merge("data", dataFolder, &train.task.data)
    try merge("outf", outf, &train.task.out)
    try merge("outdir", outdir, &train.task.out)
    try merge("batchSize", batchSize, &train.recipe.batch)
    try merge("imageSize", imageSize, &train.recipe.side)
    try merge("nz", nz, &train.recipe.latent)
    try merge("ndf", ndf, &train.recipe.discriminatorWidth)
    // Our --width sets both networks, their ngf only the generator.
    if ngf != nil && train.recipe.discriminatorWidth == nil { train.recipe.discriminatorWidth = 64 }
    try merge("ngf", ngf, &train.recipe.width)
    try merge("niter", niter, &train.recipe.epochs)
    try merge("netG", netG, &train.recipe.initGenerator)
    try merge("netD", netD, &train.recipe.initDiscriminator)
    try merge("manualSeed", manualSeed, &train.recipe.seed)
    try merge("workers", workers.map { max(1, $0) }, &train.execution.threads)
    try merge("snap", snap.map { Cadence.epochs($0) }, &train.execution.checkpointEvery)
    if dryRun { try merge("dry-run", 1, &train.execution.maxSteps) }
  }
}
