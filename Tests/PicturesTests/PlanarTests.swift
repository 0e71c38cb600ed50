import BollyGANPictures
import Testing

@Suite("Numbers and samples")
struct PlanarTests {
  @Test("every sample survives the conversion to −1…1 and back", arguments: [1, 3])
  func roundTrip(channels: Int) {
    let pixels = (0..<(256 * channels)).map { UInt8($0 * 7 % 256) }
    let picture = Picture(width: 16, height: 16, channels: channels, pixels: pixels)
    #expect(
      Picture(planar: picture.planar, channels: channels, width: 16, height: 16) == picture)
  }

  @Test("channels are the first axis of numbers and the last axis of samples")
  func order() {
    let planar: [Float] = [-1, 1, -1, 1, 1, -1]
    let picture = Picture(planar: planar, channels: 3, width: 2, height: 1)
    #expect(picture.pixels == [0, 0, 255, 255, 255, 0])
    #expect(picture.planar == planar)
  }

  /// The results of PyTorch 2.15 for `inputs`: `x.add(1).div(2).mul(255).add(.5).clamp(0, 255)`,
  /// `x.mul(127.5).add(128).clamp(0, 255)` and save_image's min-max, then `.to(torch.uint8)`.
  static let rules: [(rule: PixelRule, samples: [UInt8])] = [
    (.torchvision, [0, 0, 64, 127, 128, 128, 191, 255, 255, 25]),
    (.stylegan, [0, 0, 64, 127, 128, 128, 191, 255, 255, 26]),
    (.minmax, [0, 64, 96, 127, 128, 128, 159, 191, 255, 77]),
  ]
  static let inputs: [Float] = [-2, -1, -0.5, -0.004, 0, 0.001, 0.498, 1, 2, -0.8]

  @Test("each pixel rule rounds like its source", arguments: rules)
  func rule(rule: PixelRule, samples: [UInt8]) {
    let picture = Picture(planar: Self.inputs, channels: 1, width: 10, height: 1, rule: rule)
    #expect(picture.pixels == samples)
  }

  @Test("NaN becomes black, and large numbers are clamped")
  func notFinite() {
    let planar: [Float] = [.nan, -.nan, .infinity, -.infinity, 1e30, -1e30]
    for rule in [PixelRule.torchvision, .stylegan] {
      let picture = Picture(planar: planar, channels: 1, width: 6, height: 1, rule: rule)
      #expect(picture.pixels == [0, 0, 255, 0, 255, 0])
    }
    let flat = Picture(planar: [3, 3], channels: 1, width: 2, height: 1, rule: .minmax)
    #expect(flat.pixels == [0, 0])
    _ = Picture(planar: planar, channels: 1, width: 6, height: 1, rule: .minmax)
  }

  @Test("minimum and maximum are taken over the whole batch")
  func wholeBatch() {
    let pictures = Picture.pictures(
      planar: [0, 1, 2, 4], channels: 1, width: 2, height: 1, rule: .minmax)
    #expect(pictures.map(\.pixels) == [[0, 64], [128, 255]])
  }
}
