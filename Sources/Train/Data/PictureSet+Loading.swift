import BollyGANModel
import BollyGANPictures

extension PictureSet {
  /// What became of one file.
  private enum Outcome: Sendable {
    case picture(pixels: [UInt8], hash: [UInt8], remarks: [String])
    case failure(String)
  }

  /// Files that one task reads before it hands them over.
  private static let chunk = 32

  /// Reads every picture below a folder, several at a time.
  ///
  /// A file that cannot be used is left out and named in ``skipped``; the others keep their order.
  ///
  /// - Parameters:
  ///   - folder: The data folder, flat or with subfolders.
  ///   - isStrict: Whether the first file that cannot be used ends it.
  ///   - threads: Files to read at a time.
  ///   - isCancelled: Asked now and then whether to give up.
  ///   - progress: Told how many of how many files are done.
  /// - Throws: ``DataFolderError``; never ``DataFolderError/tooFew(folder:usable:skipped:needed:)``,
  ///   for only the caller knows the batch.
  package static func load(
    folder: String, format: Format, isStrict: Bool = false, threads: Int,
    isCancelled: @Sendable () -> Bool = { false },
    progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws(DataFolderError) -> PictureSet {
    let listing: FolderListing
    do { listing = try FolderListing(folder: folder) } catch { throw .unreadable(error) }
    if isStrict, let first = listing.unreadable.first {
      throw .badFile(first.name, reason: first.reason)
    }
    let files = listing.pictures
    let outcomes = await outcomes(
      of: files, in: folder, format: format, threads: threads, isCancelled: isCancelled,
      progress: progress)
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
      fingerprint: fingerprint.hexDigest(),
      skipped: skipped, others: listing.others, remarks: remarks)
  }

  /// Outcomes in the files' order; fewer where it was cancelled.
  private static func outcomes(
    of files: [FileName], in folder: String, format: Format, threads: Int,
    isCancelled: @Sendable () -> Bool, progress: @Sendable (Int, Int) -> Void
  ) async -> [Outcome] {
    let root = FileName(folder)
    let starts = Array(stride(from: 0, to: files.count, by: chunk))
    return await withTaskGroup(of: (Int, [Outcome]).self) { group in
      var chunks = [[Outcome]](repeating: [], count: starts.count)
      var next = 0
      func addTask() {
        guard next < starts.count, !isCancelled() else { return }
        let number = next
        let names = files[starts[number]..<min(starts[number] + chunk, files.count)]
        group.addTask { (number, names.map { read(root.appending($0.bytes), format: format) }) }
        next += 1
      }
      for _ in 0..<max(1, threads) { addTask() }
      var done = 0
      while let (number, outcomes) = await group.next() {
        chunks[number] = outcomes
        done += outcomes.count
        progress(done, files.count)
        addTask()
      }
      return chunks.flatMap { $0 }
    }
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
