import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANTerminal
import Synchronization

/// Faces on their way from latents to files, batch by batch.
struct DrawingJob: ~Copyable {
  let model: LoadedModel
  let artist: Artist
  private(set) var latents: LatentSource
  /// How long a frame of an animation stays.
  var millisecondsPerFrame = 33

  private let provenance: Provenance
  private let batch: Int
  private let progress: ProgressBar
  private var latentsFile: OutputFile?
  /// Seconds within the network, and of processor time within the encoder beside it.
  private(set) var seconds = (network: 0.0, encoder: 0.0)

  /// - Parameters:
  ///   - batch: Faces that go through the network together.
  ///   - report: Says what to show, and whether to keep the latents.
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
  /// - Parameter grid: The size of the grid, where it is one.
  /// - Returns: The files of a folder; else nothing.
  mutating func draw(to destination: Destination, grid: GridSize) async throws -> [FaceFile] {
    Interruption.watch()
    defer { progress.finish() }
    var files: [FaceFile] = []
    // Files are opened before the work, so that a name that cannot be written costs no time.
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

  /// Latents of the next faces; empty at the end.
  ///
  /// - Throws: ``CommandFailure`` where the user wants it to end, and what writing can throw.
  private mutating func nextLatents() throws -> [Float] {
    try Interruption.check()
    let values = latents.next(batch)
    try latentsFile?.write(NPYFile.body(values))
    return values
  }

  /// What the network makes of latents, the time noted.
  private mutating func draw<Result>(_ latents: [Float], _ body: (Artist, [Float]) -> Result)
    -> Result
  {
    let start = ContinuousClock.now
    defer { seconds.network += (.now - start) / .seconds(1) }
    return body(artist, latents)
  }

  /// Side of the largest grid, in pixels.
  private static let longestSide = 16_384

  /// One PNG of all faces, encoded beside the network.
  private mutating func drawGrid(_ file: consuming OutputFile, _ size: GridSize) async throws {
    let shape = artist.shape
    let longest = max(size.columns, size.rows) * (shape.side + 2) + 2
    guard longest <= Self.longestSide else {
      throw CommandFailure(
        .usage,
        "\(size.columns)x\(size.rows) faces would be a picture of \(longest) pixels, more than "
          + "\(Self.longestSide); draw into a folder or a .npy file instead")
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
        // The task may come to another thread where it waits, so the clock is one strip's.
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
      // The rule that looks at the whole grid needs the whole grid's numbers.
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

  /// A PNG for each face, encoded beside the network on as many threads as that may use.
  private mutating func drawFolder(_ folder: String) async throws -> [FaceFile] {
    try makeFolder(folder)
    let threads = artist.generator.threads
    var files: [FaceFile] = []
    // Two faces of one seed are one file, and would be written at the same time.
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
          // Enough to keep the threads busy while the network draws, and no more in memory.
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

  /// An animation with a frame for each face.
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

  /// All numbers as they leave the network, in one NPY file.
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

  /// Pixels, three bytes each, face after face.
  private mutating func drawFrames(_ file: consuming OutputFile) throws {
    while case let values = try nextLatents(), !values.isEmpty {
      try file.write(draw(values) { $0.frames(latents: $1) })
      progress.update(completed: latents.position)
    }
    try file.finish()
  }
}

/// Pictures that come in any order, on any thread, on their way to a grid's rows in order.
private final class GridRows: Sendable {
  private let sheet: GridSheet
  private let send: @Sendable ([UInt8]) -> Void
  /// Pictures that have come, and the row that is sent next.
  private let state = Mutex((pictures: [Int: Picture](), row: 0))

  /// - Parameter send: Is given the samples of row after row.
  init(_ sheet: GridSheet, send: @escaping @Sendable ([UInt8]) -> Void) {
    self.sheet = sheet
    self.send = send
  }

  func add(_ picture: Picture, at index: Int) {
    state.withLock { state in
      state.pictures[index] = picture
      while state.row < sheet.layout.rows, cells(state.row).allSatisfy(state.pictures.keys.contains)
      {
        send(&state)
      }
    }
  }

  /// Sends what is left: a grid that was asked for has its size, however few faces it holds, and the rest is
  /// black.
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

/// A face's own file, as reports name it.
struct FaceFile: Encodable, Sendable {
  let file: String
  let index: Int
  let seed: Int64?
}

/// A face and the file it becomes.
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
