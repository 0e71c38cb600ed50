import BollyGANPictures
import Testing

/// A line of `expected.csv`: what a loader must do with a file.
struct OddImage: CustomTestStringConvertible {
  let file: String
  /// `load`, `skip` or `either`.
  let expectation: String
  /// The width and height of the upright image.
  let size: [Int]?
  /// The means of red, green and blue.
  let mean: [Double]?

  var testDescription: String { file }

  static let folder = sharedFolder.map { $0 + "/data/odd-images" }

  static let all: [OddImage] =
    (try? folder.map { folder in
      try table(folder + "/expected.csv").map { line in
        OddImage(
          file: line[0], expectation: line[1], size: Int(line[2]).map { [$0, Int(line[3])!] },
          mean: line[4].isEmpty ? nil : line[4].split(separator: " ").map { Double($0)! })
      }
    }) ?? []
}

@Suite("Odd images of the shared folder")
struct OddImagesTests {
  @Test("the log says whether the folder was checked")
  func tellsWhetherChecked() {
    guard let folder = sharedFolder else {
      print("odd images: BOLLYGAN_SHARED is not set, so they were not checked")
      return
    }
    print("odd images: \(OddImage.all.count) files of \(folder) are checked")
    #expect(OddImage.all.count == 55)
  }

  @Test(
    "each file loads or is refused as listed",
    .enabled(if: sharedFolder != nil), arguments: OddImage.all)
  func outcome(_ odd: OddImage) throws {
    let bytes = try contents(try #require(OddImage.folder) + "/" + odd.file)
    let picture: Picture
    do throws(PictureError) {
      picture = try decodePicture(bytes).picture
    } catch {
      #expect(odd.expectation != "load", "\(odd.file) \(error)")
      return
    }
    #expect(odd.expectation != "skip")
    if let size = odd.size { #expect([picture.width, picture.height] == size) }
    if let mean = odd.mean {
      let rgb = picture.converted(channels: 3).pixels
      for c in 0..<3 {
        let sum = stride(from: c, to: rgb.count, by: 3).reduce(0) { $0 + Int(rgb[$1]) }
        let found = Double(sum) / Double(rgb.count / 3)
        // The listed means are rounded and allow for any decoder and any conversion of CMYK.
        #expect(abs(found - mean[c]) <= 3)
      }
    }
  }
}
