import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import Synchronization

/// Draws faces batch by batch, from latents to files.
struct DrawingJob: ~Copyable {
  let model: LoadedModel
  /// The generator that draws.
  let artist: Artist
  /// The latents, consumed batch by batch.
  private(set) var latents: LatentSource
  /// The time that each frame of an animation is shown.
  var millisecondsPerFrame = 33

  private let provenance: Provenance
  private let batch: Int
  private let progress: ProgressBar
  private var latentsFile: OutputFile?
  /// Seconds spent in the network, and seconds of processor time spent in the PNG encoder, which
  /// runs at the same time.
  private(set) var seconds = (network: 0.0, encoder: 0.0)

  /// Prepares to draw.
  ///
  /// - Parameters:
  ///   - batch: Faces drawn in one call of the generator.
  ///   - report: Whether to show progress and save the latents.
  /// - Throws: `CommandFailure` if the file for the latents cannot be opened.
  init(
    model: LoadedModel, artist: Artist, latents: LatentSource, batch: Int, report: ReportOptions
  ) throws {
    self.model = model
    self.artist = artist
    self.latents = latents
    self.batch = batch
    provenance = Provenance(model: model, latents: latents, rule: artist.rule)
    progress = ProgressBar(total: latents.count, unit: "faces", isQuiet: report.quiet)
    if let path = report.saveLatents {
      latentsFile = try OutputFile(path)
      try latentsFile?.write(NPYFile.header(shape: [latents.count, latents.size]))
    }
  }

  /// Draws all faces.
  ///
  /// - Parameter grid: The size of the grid, if the destination is one.
  /// - Returns: The files that were written to a folder; empty for any other destination.
  /// - Throws: `CommandFailure` if a file cannot be written or the user interrupts.
  mutating func draw(to destination: Destination, grid: GridSize) async throws -> [FaceFile] {
    Interruption.watch()
    defer { progress.finish() }
    var files: [FaceFile] = []
    // Open the files first, so that a name that cannot be written fails at once.
    switch destination {
    case .grid(let path): try await drawGrid(OutputFile(path), grid)
    case .folder(let path): files = try await drawFolder(path)
    case .animation(let path): try drawAnimation(OutputFile(path))
    case .array(let path): try drawArray(OutputFile(path))
    case .frames(let path): try drawFrames(OutputFile(path))
    }
    try latentsFile.take()?.finish()
    return files
  }

  /// The latents of the next batch; empty at the end. Saves them if asked to.
  ///
  /// - Throws: ``CommandFailure`` if the user interrupts or the latents cannot be written.
  private mutating func nextLatents() throws -> [Float] {
    try Interruption.check()
    let values = latents.next(batch)
    try latentsFile?.write(NPYFile.body(values))
    return values
  }

  /// Calls `body` and adds its time to the network's.
  private mutating func draw<Result>(_ latents: [Float], _ body: (Artist, [Float]) -> Result)
    -> Result
  {
    let start = ContinuousClock.now
    defer { seconds.network += (.now - start) / .seconds(1) }
    return body(artist, latents)
  }

  /// The longest side of a grid, in pixels.
  private static let longestSide = 16_384

  /// Draws a single PNG, which is encoded while the network draws.
  private mutating func drawGrid(_ file: consuming OutputFile, _ size: GridSize) async throws {
    let shape = artist.shape
    let longest = max(size.columns, size.rows) * (shape.side + 2) + 2
    guard longest <= Self.longestSide else {
      throw CommandFailure(
        .usage,
        "a grid of \(size.columns)x\(size.rows) faces would be \(longest) pixels long, and the "
          + "limit is \(Self.longestSide); write to a folder or a .npy file instead")
    }
    let sheet = GridSheet(
      count: size.cells, columns: size.columns, width: shape.side, height: shape.side,
      channels: shape.channels)
    let texts = provenance.texts(
      faces: 0..<latents.count,
      more: [("columns", "\(size.columns)"), ("rows", "\(size.rows)")])
    let (strips, sending) = AsyncStream<[UInt8]>.makeStream()
    defer { sending.finish() }
    let encoder = Task.detached {
      let writer = try PNGWriter(
        width: sheet.width, height: sheet.height, channels: sheet.channels, text: texts)
      var seconds = 0.0
      for await strip in strips {
        // The task may resume on another thread after each wait, so each strip is timed separately.
        let time = ProcessorTime.ofThread
        try writer.add(rows: strip)
        seconds += time.seconds
      }
      let time = ProcessorTime.ofThread
      let bytes = try writer.finish()
      return (bytes: bytes, seconds: seconds + time.seconds)
    }
    let rows = GridRows(sheet) { sending.yield($0) }
    var planar: [Float] = []
    while case let first = latents.position, case let values = try nextLatents(), !values.isEmpty {
      // minmax is computed over the whole grid, so it needs all faces first.
      if artist.rule == .minmax {
        planar += draw(values) { $0.generator.pictures(latents: $1) }
      } else {
        draw(values) { $0.pictures(latents: $1) { rows.add($1, at: first + $0) } }
      }
      progress.update(completed: latents.position)
    }
    if artist.rule == .minmax {
      for (index, picture) in artist.pictures(planar: planar).enumerated() {
        rows.add(picture, at: index)
      }
    }
    rows.finish()
    sending.finish()
    let (bytes, time) = try await encoder.value
    seconds.encoder = time
    try file.write(bytes)
    try file.finish()
  }

  /// Draws a PNG for each face. They are encoded while the network draws, on the same number of
  /// threads.
  private mutating func drawFolder(_ folder: String) async throws -> [FaceFile] {
    try makeFolder(folder)
    let threads = artist.generator.threads
    var files: [FaceFile] = []
    // Two faces with the same seed have the same file, which must not be written twice at once.
    var names: Set<String> = []
    try await withThrowingTaskGroup(of: (pages: Int, seconds: Double).self) { group in
      var running = 0
      while latents.position < latents.count {
        let first = latents.position
        let values = try nextLatents()
        let pages = draw(values) { $0.pictures(latents: $1) }.enumerated().compactMap {
          offset, picture -> FacePage? in
          let index = first + offset
          let name = provenance.fileName(index)
          guard names.insert(name).inserted else { return nil }
          files.append(FaceFile(file: folder + name, index: index, seed: provenance.seed(index)))
          return FacePage(
            path: folder + name, picture: picture,
            texts: provenance.texts(faces: index..<index + 1))
        }
        let share = max(1, (pages.count + threads - 1) / threads)
        for start in stride(from: 0, to: pages.count, by: share) {
          // Enough to keep the threads busy while the network draws, without filling memory.
          if running == 2 * threads, let written = try await group.next() {
            progress.advance(by: written.pages)
            seconds.encoder += written.seconds
            running -= 1
          }
          running += 1
          group.addTask { [pages = pages[start..<min(start + share, pages.count)]] in
            let time = ProcessorTime.ofThread
            for page in pages { try page.write() }
            return (pages.count, time.seconds)
          }
        }
      }
      for try await written in group {
        progress.advance(by: written.pages)
        seconds.encoder += written.seconds
      }
    }
    return files
  }

  /// Draws an animation with a frame for each face.
  private mutating func drawAnimation(_ file: consuming OutputFile) throws {
    let animation = try WebPAnimation(
      width: artist.shape.side, height: artist.shape.side,
      millisecondsPerFrame: millisecondsPerFrame)
    while case let values = try nextLatents(), !values.isEmpty {
      for picture in draw(values, { $0.pictures(latents: $1) }) { try animation.add(picture) }
      progress.update(completed: latents.position)
    }
    try file.write(animation.finish())
    try file.finish()
  }

  /// Writes the network's output to an NPY file.
  private mutating func drawArray(_ file: consuming OutputFile) throws {
    let shape = artist.shape
    try file.write(
      NPYFile.header(shape: [latents.count, shape.channels, shape.side, shape.side]))
    while case let values = try nextLatents(), !values.isEmpty {
      try file.write(NPYFile.body(draw(values) { $0.generator.pictures(latents: $1) }))
      progress.update(completed: latents.position)
    }
    try file.finish()
  }

  /// Writes raw frames, three bytes a pixel, one after another.
  private mutating func drawFrames(_ file: consuming OutputFile) throws {
    while case let values = try nextLatents(), !values.isEmpty {
      try file.write(draw(values) { $0.frames(latents: $1) })
      progress.update(completed: latents.position)
    }
    try file.finish()
  }
}

/// Puts images that arrive in any order, on any thread, into the rows of a grid, and sends the rows
/// in order.
private final class GridRows: Sendable {
  private let sheet: GridSheet
  private let send: @Sendable ([UInt8]) -> Void
  /// Images of rows that have not been sent, and the row that is sent next.
  private let state = Mutex((pictures: [Int: Picture](), row: 0))

  /// - Parameter send: Receives the pixels of each row of the grid, in order.
  init(_ sheet: GridSheet, send: @escaping @Sendable ([UInt8]) -> Void) {
    self.sheet = sheet
    self.send = send
  }

  /// Adds the image of a cell, and sends every row that is complete.
  func add(_ picture: Picture, at index: Int) {
    state.withLock { state in
      state.pictures[index] = picture
      while state.row < sheet.layout.rows, cells(state.row).allSatisfy(state.pictures.keys.contains)
      {
        send(&state)
      }
    }
  }

  /// Sends the remaining rows. A grid has the requested size even if there are too few faces; the
  /// cells without one are black.
  func finish() { state.withLock { state in while state.row < sheet.layout.rows { send(&state) } } }

  private func cells(_ row: Int) -> Range<Int> {
    row * sheet.layout.columns..<(row + 1) * sheet.layout.columns
  }

  private func send(_ state: inout (pictures: [Int: Picture], row: Int)) {
    let pictures = cells(state.row).compactMap { state.pictures.removeValue(forKey: $0) }
    send(sheet.strip(state.row, pictures[...]))
    state.row += 1
  }
}

/// The file of one face, as `--json` reports it.
struct FaceFile: Encodable, Sendable {
  let file: String
  let index: Int
  let seed: Int64?
}

/// A face and the PNG file that it will be written to.
private struct FacePage: Sendable {
  let path: String
  let picture: Picture
  let texts: [PNGText]

  func write() throws(CommandFailure) {
    let bytes = try CommandFailure.about(path, else: .internalError) { () throws in
      try picture.encodePNG(text: texts)
    }
    do {
      try writeFile(bytes, to: path)
    } catch {
      throw CommandFailure(writing: error)
    }
  }
}
