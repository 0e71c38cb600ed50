import BollyGANModel
import BollyGANPictures

// Reads and decodes a folder of images in parallel.

extension PictureSet {
  /// The result of reading one file.
  private enum Outcome: Sendable {
    case picture(pixels: [UInt8], hash: [UInt8], remarks: [String])
    case failure(String)
  }

  /// Reads all images below a folder, on several threads.
  ///
  /// Files that cannot be used are listed in ``skipped``; the others keep their order.
  ///
  /// - Parameters:
  ///   - folder: The data folder, flat or with subfolders.
  ///   - format: The size and channels of the images, and how to read the files.
  ///   - excluded: Images to leave out, readable or not.
  ///   - isStrict: Whether to stop at the first file that cannot be used.
  ///   - threads: Number of files to read at a time.
  ///   - isCancelled: Asked regularly whether to give up.
  ///   - progress: Called with the number of files done and the total.
  /// - Throws: ``DataFolderError``, but never
  ///   ``DataFolderError/tooFew(folder:usable:skipped:needed:)``: only the caller knows the batch
  ///   size.
  package static func load(
    folder: String, format: Format, excluding excluded: Set<BytePath> = [],
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
    let root = BytePath(folder)
    let outcomes = await concurrentMap(
      files, threads: threads, isCancelled: isCancelled, progress: progress
    ) { read(root.appending($0.bytes), format: format) }
    guard outcomes.count == files.count else { throw .interrupted }

    var names: [BytePath] = []
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
        // Names contain no zero byte, so one marks where the name ends and the hash begins.
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

  private static func read(_ path: BytePath, format: Format) -> Outcome {
    do {
      let bytes = try readFile(named: path.bytes, limit: fileLimit)
      let (decoded, remarks) = try decodePicture(bytes, rules: format.rules)
      // The order of the usual torchvision transforms: Grayscale, Resize, CenterCrop.
      let picture = decoded.converted(channels: format.channels)
        .resized(shortSide: format.side).centerCropped(side: format.side)
      var hash = SHA256()
      hash.update(picture.pixels)
      return .picture(pixels: picture.pixels, hash: hash.digest(), remarks: remarks)
    } catch {
      return .failure("\(error)")
    }
  }
}
