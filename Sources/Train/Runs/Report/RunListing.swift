import BollyGANModel

/// A one-line summary of a run, from the files in its folder.
package struct RunListing: Equatable, Sendable, Encodable {
  /// The run folder, relative to the folder that was searched.
  package let run: String
  /// Whether the run is running, finished, stopped, diverged or killed.
  package let state: RunState
  /// The name of the recipe.
  package let recipe: String
  /// The current epoch, counted from 1.
  package let epoch: Int
  /// Epochs in the whole run.
  package let epochs: Int
  /// Steps made.
  package let step: Int
  /// Steps in the whole run.
  package let steps: Int
  /// Mean loss of the last epoch, or the loss of the last step before the first epoch is complete.
  package let lossD: Double?
  /// The generator loss, like ``lossD``.
  package let lossG: Double?
  /// Training speed in the last epoch, in images per second.
  package let picturesPerSecond: Double?
  /// The lowest sliced Wasserstein distance, to held-out images if possible.
  package let best: BestMetric?
  /// The day on which the run began.
  package let begun: String

  private enum CodingKeys: String, CodingKey {
    case run, state, recipe, epoch, epochs, step, steps, best, begun
    case lossD = "loss_d"
    case lossG = "loss_g"
    case picturesPerSecond = "pictures_per_second"
  }

  /// Summarises the run in a folder.
  ///
  /// - Throws: ``RunError/noRun(_:)``, ``RunError/badRecord(_:reason:)`` or `FileError`.
  package init(folder path: String, name: String) throws {
    let record = try RunFolder.record(in: path)
    self.init(
      name: name, record: record, history: RunHistory(log: try RunLog.bytes(in: path)),
      isRunning: try RunFolder.isInUse(path))
  }

  package init(name: String, record: RunRecord, history: RunHistory, isRunning: Bool) {
    let recipe = record.definition.recipe
    run = name
    state = RunState(history.phase, isRunning: isRunning)
    self.recipe = recipe.name
    epoch = history.epoch
    epochs = recipe.epochs
    step = history.step
    steps = record.totalSteps
    func latest(_ key: String) -> Double? {
      history.epochs[key]?.latest ?? history.steps[key]?.latest
    }
    (lossD, lossG) = (latest("loss_d"), latest("loss_g"))
    picturesPerSecond = history.epochs["pictures_per_second"]?.latest
    best = BestMetric(history)
    begun = record.date
  }

  /// The runs in a folder and below, sorted by name. The folder may itself be a run.
  ///
  /// - Parameters:
  ///   - path: The folder to search, at most three levels deep.
  ///   - skipped: Called for each run that cannot be read, with the reason.
  /// - Throws: `FileError` if the folder itself cannot be listed.
  package static func all(
    in path: String, skipped: (_ path: String, _ problem: String) -> Void
  ) throws -> [RunListing] {
    var listings: [RunListing] = []
    func search(_ folder: String, _ name: String, depth: Int) throws {
      let names = try FileSystem.names(in: folder.pathBytes).map(String.init(pathBytes:))
      if names.contains(RunFolder.recordName) {
        do {
          let label = name.isEmpty ? RunReport.name(of: folder) : name
          listings.append(try RunListing(folder: folder, name: label))
        } catch {
          skipped(folder, "\(error)")
        }
        return
      }
      // Do not search deeper: a whole disk might be below.
      guard depth < 3 else { return }
      for below in names.sorted() where !below.hasPrefix(".") {
        let place = "\(folder)/\(below)"
        let found = try? FileSystem.status(of: place.pathBytes)
        guard found?.kind == .folder else { continue }
        do {
          try search(place, name.isEmpty ? below : "\(name)/\(below)", depth: depth + 1)
        } catch {
          skipped(place, "\(error)")
        }
      }
    }
    try search(path, "", depth: 0)
    return listings
  }
}

extension RunRecord {
  /// Steps that the run will have made at its end.
  package var totalSteps: Int {
    let recipe = definition.recipe
    // Older records do not count the held-out images, but the recipe has their share.
    let kept = data.heldOut ?? PictureSet.heldOutCount(share: recipe.holdout, of: data.pictures)
    let steps = recipe.stepsPerEpoch(pictureCount: max(0, data.pictures - kept))
      .multipliedReportingOverflow(by: recipe.epochs)
    return min(steps.overflow ? .max : steps.partialValue, options.maximumSteps ?? .max)
  }
}
