import BollyGANModel
import BollyGANPictures
import BollyGANTraining

extension PictureSet {
  /// What became of one file.
  private enum Outcome: Sendable {
    case picture(pixels: [UInt8], hash: [UInt8], remarks: [String])
    case failure(String)
  }

  /// Reads every picture below a folder, several at a time.
  ///
  /// A file that cannot be used is left out and named in ``skipped``; the others keep their order.
  ///
  /// - Parameters:
  ///   - folder: The data folder, flat or with subfolders.
  ///   - excluded: Names of pictures that are left out, readable or not.
  ///   - isStrict: Whether the first file that cannot be used ends it.
  ///   - threads: Files to read at a time.
  ///   - isCancelled: Asked now and then whether to give up.
  ///   - progress: Told how many of how many files are done.
  /// - Throws: ``DataFolderError``; never ``DataFolderError/tooFew(folder:usable:skipped:needed:)``,
  ///   for only the caller knows the batch.
  package static func load(
    folder: String, format: Format, excluding excluded: Set<FileName> = [],
    isStrict: Bool = false, threads: Int,
    isCancelled: @Sendable () -> Bool = { false },
    progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws(DataFolderError) -> PictureSet {
    let listing: FolderListing
    do { listing = try FolderListing(folder: folder) } catch { throw .unreadable(error) }
    if isStrict, let first = listing.unreadable.first {
      throw .badFile(first.name, reason: first.reason)
    }
    let files = listing.pictures.filter { !excluded.contains($0) }
    let root = FileName(folder)
    let outcomes = await inChunks(
      of: files, threads: threads, isCancelled: isCancelled, progress: progress
    ) { read(root.appending($0.bytes), format: format) }
    guard outcomes.count == files.count else { throw .interrupted }

    var names: [FileName] = []
    var skipped = listing.unreadable
    var remarks: [Remark] = []
    var pixels: [UInt8] = []
    var hashes: [[UInt8]] = []
    pixels.reserveCapacity(files.count * format.side * format.side * format.channels)
    var fingerprint = SHA256()
    fingerprint.update(Array("\(format.side) \(format.channels)\n".utf8))
    for (name, outcome) in zip(files, outcomes) {
      switch outcome {
      case .picture(let values, let hash, let found):
        names.append(name)
        pixels += values
        hashes.append(hash)
        // A name cannot hold a zero byte, so it cannot run into what follows it.
        fingerprint.update(name.bytes + [0] + hash)
        remarks += found.map { Remark(name: name, text: $0) }
      case .failure(let reason):
        if isStrict { throw .badFile(name, reason: reason) }
        skipped.append(FolderListing.Skipped(name: name, reason: reason))
      }
    }
    return PictureSet(
      format: format, names: names, pixels: pixels, hashes: hashes,
      fingerprint: fingerprint.hexDigest(), skipped: skipped,
      excluded: listing.pictures.count - files.count, others: listing.others, remarks: remarks)
  }

  private static func read(_ path: FileName, format: Format) -> Outcome {
    do {
      let bytes = try readFile(named: path.bytes, limit: fileLimit)
      let (decoded, remarks) = try decodePicture(bytes, rules: format.rules)
      // As torchvision's transforms have it: Grayscale, Resize, CenterCrop.
      let picture = decoded.converted(channels: format.channels)
        .resized(shortSide: format.side).centerCropped(side: format.side)
      var hash = SHA256()
      hash.update(picture.pixels)
      return .picture(pixels: picture.pixels, hash: hash.digest(), remarks: remarks)
    } catch let error as PictureError {
      return .failure("\(error)")
    } catch {
      return .failure("\(error)")
    }
  }
}
