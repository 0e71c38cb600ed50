import BollyGANPictures
import Testing

/// Sample c of pixel (x, y) is 7x² + 3y² + 5xy + 13(x xor y) + 71c, modulo 256.
func formulaPicture(_ width: Int, _ height: Int, channels: Int, plus: Int = 0) -> Picture {
  var pixels: [UInt8] = []
  pixels.reserveCapacity(width * height * channels)
  for y in 0..<height {
    for x in 0..<width {
      let colourless = 7 * x * x + 3 * y * y + 5 * x * y + 13 * (x ^ y) + plus
      for c in 0..<channels { pixels.append(UInt8((colourless + 71 * c) % 256)) }
    }
  }
  return Picture(width: width, height: height, channels: channels, pixels: pixels)
}

@Suite("Resize, crop and grid")
struct GeometryTests {
  /// A line of `Fixtures/geometry.csv`, made with torchvision's transforms.
  struct Line: CustomStringConvertible {
    let width, height, channels: Int
    let transform: String
    let a, b: Int
    let newWidth, newHeight: Int
    let sum: UInt32

    var description: String { "\(width) x \(height) x \(channels) \(transform) \(a) \(b)" }

    static func all(_ transform: String) throws -> [Line] {
      try table(fixtures + "/geometry.csv").filter { $0[3] == transform }.map { line in
        let numbers = line.map { Int($0) ?? 0 }
        return Line(
          width: numbers[0], height: numbers[1], channels: numbers[2], transform: line[3],
          a: numbers[4], b: numbers[5], newWidth: numbers[6], newHeight: numbers[7],
          sum: try #require(UInt32(line[8], radix: 16)))
      }
    }
  }

  @Test(
    "results equal torchvision's sample for sample",
    arguments: ["fit", "short", "size", "crop", "grid"])
  func equalsTorchvision(transform: String) throws {
    let lines = try Line.all(transform)
    #expect(!lines.isEmpty)
    let different = lines.filter { line in
      let outcome: Picture
      if transform == "grid" {
        let cells = (0..<line.a).map {
          formulaPicture(line.width, line.height, channels: line.channels, plus: 29 * $0)
        }
        outcome = grid(cells, columns: line.b)
      } else {
        let picture = formulaPicture(line.width, line.height, channels: line.channels)
        outcome =
          switch transform {
          case "fit": picture.resized(shortSide: line.a).centerCropped(side: line.a)
          case "short": picture.resized(shortSide: line.a)
          case "size": picture.resized(width: line.a, height: line.b)
          default: picture.centerCropped(side: line.a)
          }
      }
      return outcome.width != line.newWidth || outcome.height != line.newHeight
        || CRC32.of(outcome.pixels, in: outcome.pixels.indices) != line.sum
    }
    #expect(different.isEmpty)
  }

  @Test("64 images of 64 x 64 make a grid of 530 x 530")
  func gridSize() {
    let cell = Picture(
      width: 64, height: 64, channels: 1, pixels: [UInt8](repeating: 9, count: 4096))
    let cells = [Picture](repeating: cell, count: 64)
    #expect(grid(cells).width == 530 && grid(cells).height == 530)
    #expect(grid(cells).channels == 1)
    #expect(grid(cells + [cell.converted(channels: 3)]).channels == 3)
    #expect(GridLayout(count: 9, columns: 8).cell(8) == (1, 0))
  }

  @Test("gray and RGB are converted as in Pillow")
  func conversion() {
    // The corners of the colour cube through Pillow 13's convert("L").
    let corners = (0..<8).flatMap { i in (0..<3).map { UInt8(i >> $0 & 1) * 255 } }
    let gray = Picture(width: 8, height: 1, channels: 3, pixels: corners).converted(channels: 1)
    #expect(gray.pixels == [0, 76, 150, 226, 29, 105, 179, 255])
    #expect(gray.converted(channels: 3).pixels == gray.pixels.flatMap { [$0, $0, $0] })
  }
}
