import BollyGANModel
import BollyGANTraining

/// A run as it lies in its folder, in a line.
package struct RunListing: Equatable, Sendable, Encodable {
  /// The folder, below the one that was looked through.
  package let run: String
  package let state: RunState
  package let recipe: String
  package let epoch: Int
  package let epochs: Int
  package let step: Int
  package let steps: Int
  /// Losses of the last epoch, or of the last step before there is one.
  package let lossD: Double?
  package let lossG: Double?
  package let picturesPerSecond: Double?
  /// The lowest sliced Wasserstein distance that was measured, held-out pictures before others.
  package let best: BestFigure?
  /// The day it began.
  package let begun: String

  private enum CodingKeys: String, CodingKey {
    case run, state, recipe, epoch, epochs, step, steps, best, begun
    case lossD = "loss_d"
    case lossG = "loss_g"
    case picturesPerSecond = "pictures_per_second"
  }

  /// What run lies in a folder.
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
    best = BestFigure(history)
    begun = record.date
  }

  /// The runs in a folder and in those within it, by name; the folder itself may be one.
  ///
  /// - Parameter skipped: Told of each run that cannot be read, and why.
  /// - Throws: `FileError` where the folder itself cannot be looked through.
  package static func all(
    in path: String, skipped: (_ path: String, _ problem: String) -> Void
  ) throws -> [RunListing] {
    var listings: [RunListing] = []
    func look(_ folder: String, _ name: String, depth: Int) throws {
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
      // Runs are sorted into folders, not buried: farther down there may be a whole disk.
      guard depth < 3 else { return }
      for below in names.sorted() where !below.hasPrefix(".") {
        let place = "\(folder)/\(below)"
        let found = try? FileSystem.look(at: place.pathBytes)
        guard found?.kind == .folder else { continue }
        do {
          try look(place, name.isEmpty ? below : "\(name)/\(below)", depth: depth + 1)
        } catch {
          skipped(place, "\(error)")
        }
      }
    }
    try look(path, "", depth: 0)
    return listings
  }
}

extension RunRecord {
  /// Steps that the run will have made at its end.
  package var totalSteps: Int {
    let recipe = definition.recipe
    // A run that did not note how many were kept says at least what share of them.
    let kept = data.heldOut ?? PictureSet.heldOutCount(share: recipe.holdout, of: data.pictures)
    let steps = recipe.stepsPerEpoch(pictureCount: max(0, data.pictures - kept))
      .multipliedReportingOverflow(by: recipe.epochs)
    return min(steps.overflow ? .max : steps.partialValue, options.maximumSteps ?? .max)
  }
}
