internal import BollyGANPictureShims

/// The header of a PNG file, and the parts of the file that libpng is to see.
struct PNGStructure {
  let width: Int
  let height: Int
  /// The bits per sample: 1, 2, 4, 8 or 16.
  let depth: Int
  /// 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
  let colourType: Int
  let isInterlaced: Bool
  /// Whether the parts include a tRNS chunk: one transparent colour, or alphas for the palette.
  private(set) var hasTransparencyChunk = false
  /// The byte ranges of the signature, IHDR, PLTE, tRNS, IDAT and IEND. No other chunk reaches
  /// libpng.
  private(set) var parts: [Range<Int>] = []
  /// The EXIF orientation, 1…8.
  private(set) var orientation: Int?
  private(set) var remarks: [String] = []

  /// Checks the chunks of a whole file.
  ///
  /// - Parameter transparency: Whether to keep a tRNS chunk. Otherwise it is ignored.
  /// - Throws: ``PictureError`` for the first fault.
  init(_ bytes: [UInt8], transparency: Bool) throws(PictureError) {
    var reader = try PNGChunkReader(bytes)
    let header = try reader.next()
    guard header.type == "IHDR", header.content.count == 13 else {
      throw .damaged(.png, "there is no IHDR of 13 bytes at its start")
    }
    try Self.checkSum(header, reader)
    let fields = header.content.lowerBound
    width = Int(bytes.bigEndian32(at: fields))
    height = Int(bytes.bigEndian32(at: fields + 4))
    depth = Int(bytes[fields + 8])
    colourType = Int(bytes[fields + 9])
    isInterlaced = bytes[fields + 12] == 1
    try checkHeader(method: bytes[fields + 10], filter: bytes[fields + 11], bytes[fields + 12])

    parts = [0..<header.end]
    var paletteEntries: Int?
    var hasKey = false
    var dataBytes = 0
    var dataEnded = false
    while true {
      let chunk = try reader.next()
      if dataBytes > 0 && chunk.type != "IDAT" { dataEnded = true }
      switch chunk.type {
      case "IHDR": throw .damaged(.png, "it has two IHDR chunks")
      case "PLTE":
        try Self.checkSum(chunk, reader)
        let length = chunk.content.count
        guard paletteEntries == nil, dataBytes == 0, length > 0, length <= 768, length % 3 == 0
        else { throw .damaged(.png, "a PLTE chunk of \(length) bytes is out of place") }
        paletteEntries = length / 3
        // For other colour types a palette is only a suggestion.
        if colourType == 3 { append(chunk) }
      case "tRNS":
        guard [0, 2, 3].contains(colourType) else { continue }
        try Self.checkSum(chunk, reader)
        let lengths =
          colourType == 0 ? 2...2 : colourType == 2 ? 6...6 : 1...max(1, paletteEntries ?? 0)
        guard !hasKey, dataBytes == 0, lengths.contains(chunk.content.count),
          colourType != 3 || paletteEntries != nil
        else {
          throw .damaged(.png, "a tRNS chunk of \(chunk.content.count) bytes is out of place")
        }
        hasKey = true
        if transparency {
          hasTransparencyChunk = true
          append(chunk)
        }
      case "IDAT":
        if dataEnded { throw .damaged(.png, "its IDAT chunks do not follow each other") }
        guard colourType != 3 || paletteEntries != nil else {
          throw .damaged(.png, "it has no palette")
        }
        try Self.checkSum(chunk, reader)
        // An empty chunk is allowed. Count it as one byte, so that the data count as begun.
        dataBytes += max(1, chunk.content.count)
        append(chunk)
      case "IEND":
        try Self.checkSum(chunk, reader)
        append(chunk)
        try checkData(dataBytes)
        if chunk.end < bytes.count {
          remarks.append("has \(bytes.count - chunk.end) bytes after its end")
        }
        return
      case "eXIf":
        if orientation == nil, reader.isIntact(chunk) {
          orientation = exifOrientation(bytes, in: chunk.content)
        }
      default:
        if chunk.isCritical {
          throw .unsupported(.png, "it has a critical chunk \(chunk.type)")
        }
      }
    }
  }

  /// The samples per pixel after palette and transparency are expanded.
  var channels: Int {
    switch colourType {
    case 0: hasTransparencyChunk ? 2 : 1
    case 4: 2
    case 6: 4
    default: hasTransparencyChunk ? 4 : 3
    }
  }

  private mutating func append(_ chunk: PNGChunk) {
    if let last = parts.last, last.upperBound == chunk.start {
      parts[parts.count - 1] = last.lowerBound..<chunk.end
    } else {
      parts.append(chunk.start..<chunk.end)
    }
  }

  private static func checkSum(
    _ chunk: PNGChunk, _ reader: PNGChunkReader
  ) throws(PictureError) {
    guard reader.isIntact(chunk) else {
      throw .damaged(.png, "the checksum of chunk \(chunk.type) at byte \(chunk.start) is wrong")
    }
  }

  private func checkHeader(
    method: UInt8, filter: UInt8, _ interlacing: UInt8
  ) throws(PictureError) {
    try checkSize(.png, width: width, height: height)
    let depths: [Int: [Int]] = [
      0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16],
    ]
    guard depths[colourType]?.contains(depth) == true else {
      throw .damaged(.png, "there is no colour type \(colourType) of \(depth) bits")
    }
    guard method == 0, filter == 0, interlacing <= 1 else {
      throw .unsupported(
        .png, "compression \(method), filter \(filter), interlacing \(interlacing)")
    }
  }

  /// Refuses a header that claims more than the data can hold, before memory is allocated.
  ///
  /// Deflate expands a byte to at most 1032 bytes: 2 bits encode a match of 258 bytes.
  private func checkData(_ dataBytes: Int) throws(PictureError) {
    if dataBytes == 0 { throw .damaged(.png, "it has no IDAT chunk") }
    let samples = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][colourType]!
    func rawBytes(_ width: Int, _ height: Int) -> Int {
      width == 0 ? 0 : height * (1 + (width * samples * depth + 7) / 8)
    }
    // The passes of Adam7: first column, column step, first row, row step.
    let passes = [
      (0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4),
      (1, 2, 0, 2), (0, 1, 1, 2),
    ]
    let needed =
      isInterlaced
      ? passes.reduce(0) { sum, pass in
        sum
          + rawBytes(
            (width - pass.0 + pass.1 - 1) / pass.1, (height - pass.2 + pass.3 - 1) / pass.3)
      } : rawBytes(width, height)
    if needed > 1032 * dataBytes {
      throw .truncated(
        .png, "\(dataBytes) bytes of data cannot hold \(width) x \(height) pixels")
    }
  }
}

/// Checks an image's size against the limits: 8192 pixels a side and 2²⁵ in total.
func checkSize(_ format: PictureFormat, width: Int, height: Int) throws(PictureError) {
  let side = 8192
  let area = 1 << 25
  if width < 1 || height < 1 {
    throw .damaged(format, "its header claims \(width) x \(height) pixels")
  }
  if width > side || height > side || width * height > area {
    throw .tooLarge(
      format,
      "its header claims \(width) x \(height) pixels; the limit is \(side) a side and \(area) "
        + "in all")
  }
}

/// Decodes a PNG file.
///
/// - Throws: ``PictureError`` if it is damaged, incomplete, too large or of an unsupported kind.
func decodePNG(
  _ bytes: [UInt8], rules: PictureRules
) throws(PictureError) -> (picture: Picture, warnings: [String]) {
  let png = try PNGStructure(bytes, transparency: rules == .asDisplayed)
  let keepsSixteen = rules == .pillow && png.depth == 16 && png.colourType == 0
  var layout = bg_png_layout()
  layout.width = UInt32(png.width)
  layout.height = UInt32(png.height)
  layout.channels = UInt32(png.channels)
  layout.sample_bytes = keepsSixteen ? 2 : 1
  layout.sixteen = rules == .asDisplayed ? bg_round : keepsSixteen ? bg_keep : bg_high_byte
  let parts = png.parts.map { bg_range(offset: $0.lowerBound, length: $0.count) }
  let count = png.width * png.height * png.channels * (keepsSixteen ? 2 : 1)

  var (samples, report) = try unsafe decoded(.png, count: count) { pixels, report in
    unsafe bg_png_decode(bytes, bytes.count, parts, parts.count, &layout, pixels, count, &report)
  }
  if keepsSixteen {
    samples = stride(from: 0, to: count, by: 2).map {
      samples[$0] == 0 ? samples[$0 + 1] : 255
    }
  }
  if png.channels == 2 || png.channels == 4 {
    samples = withoutAlpha(samples, channels: png.channels, overWhite: rules == .asDisplayed)
  }
  var picture = Picture(
    width: png.width, height: png.height, channels: png.channels < 3 ? 1 : 3, pixels: samples)
  if rules == .asDisplayed { picture = picture.turned(byOrientation: png.orientation) }
  return (picture, png.remarks + report.remarks)
}

/// Removes the alpha channel.
///
/// - Parameters:
///   - samples: Interleaved samples, alpha last.
///   - channels: The samples per pixel, alpha included.
///   - overWhite: Whether to composite over white. Otherwise alpha is dropped.
func withoutAlpha(_ samples: [UInt8], channels: Int, overWhite: Bool) -> [UInt8] {
  let colours = channels - 1
  let count = samples.count / channels
  return [UInt8](capacity: count * colours) { result in
    for i in 0..<count {
      let alpha = UInt32(samples[channels * i + colours])
      for c in 0..<colours {
        let colour = UInt32(samples[channels * i + c])
        let blended = (colour * alpha + 255 * (255 - alpha) + 127) / 255
        result.append(UInt8(overWhite ? blended : colour))
      }
    }
  }
}
