import Foundation

/// A folder with cartoon faces and a run that has trained on them for two epochs.
struct SmallRun {
  let folder: TemporaryFolder

  /// Options that make a run small enough for a test: eight batches of four in two epochs.
  static let small = [
    "--epochs", "2", "--batch", "4", "--side", "32", "--width", "2", "--latent", "4", "--threads",
    "1",
  ]

  /// - Parameter isTrained: Whether to create a run in `run`, besides the faces in `faces`.
  init(isTrained: Bool = true) async throws {
    folder = try TemporaryFolder()
    try await train("draw-faces", "faces", "--count", "16", "--side", "32", "--quiet")
    if isTrained { try await train(["faces", "--out", "run", "--quiet"] + Self.small) }
  }

  @discardableResult
  func train(_ arguments: String...) async throws -> BuiltCommand.Result {
    try await train(arguments)
  }

  @discardableResult
  func train(_ arguments: [String]) async throws -> BuiltCommand.Result {
    try await BuiltCommand.train.run(arguments, in: folder)
  }
}
