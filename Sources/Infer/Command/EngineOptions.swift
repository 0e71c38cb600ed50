import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures

extension PixelRule: ExpressibleByArgument {}

/// How the work is done; nothing here changes a picture but the pixel rule.
struct EngineOptions: ParsableArguments {
  @OptionGroup var processor: ProcessorOptions

  @Option(
    help: ArgumentHelp(
      "Faces that go through the network together; they never change the result.", valueName: "n"))
  var batch: Int?

  @Option(name: .customLong("batchSize"), help: .hidden)
  var batchSize: Int?

  @Option(
    help: ArgumentHelp(
      "How numbers x in -1...1 become pixels: torchvision is (x+1)/2*255+0.5, stylegan is "
        + "x*127.5+128, minmax spreads the smallest and largest of a picture or grid over 0...255.",
      valueName: "rule"))
  var pixelRule: PixelRule = .torchvision

  func validate() throws {
    if let batch = batch ?? batchSize, !(1...4096).contains(batch) {
      throw ValidationError("--batch \(batch) is not in 1...4096.")
    }
  }

  /// Faces in a batch: enough to keep the threads busy, few enough to show progress.
  var faces: Int { batch ?? batchSize ?? 64 }

  func artist(_ weights: GeneratorWeights) -> Artist {
    Artist(generator: processor.generator(weights), rule: pixelRule)
  }
}

/// A generator that hands over pictures.
struct Artist: Sendable {
  let generator: Generator
  let rule: PixelRule

  var shape: DCGANShape { generator.shape }

  /// Pictures of latents `[n, latent]`; what the rule looks at is each picture for itself.
  func pictures(latents: [Float]) -> [Picture] {
    switch rule {
    case .torchvision:
      let pixels = generator.pixels(latents: latents)
      return stride(from: 0, to: pixels.count, by: shape.pictureCount).map {
        picture(Array(pixels[$0..<$0 + shape.pictureCount]))
      }
    case .stylegan:
      return pictures(planar: generator.pictures(latents: latents))
    case .minmax:
      let planar = generator.pictures(latents: latents)
      return stride(from: 0, to: planar.count, by: shape.pictureCount).map {
        pictures(planar: Array(planar[$0..<$0 + shape.pictureCount]))[0]
      }
    }
  }

  /// The same, each picture handed over as soon as it is there: on any thread, several at a time, and only
  /// nearly in order.
  func pictures(latents: [Float], each body: @Sendable (Int, Picture) -> Void) {
    guard rule == .torchvision else {
      for (index, picture) in pictures(latents: latents).enumerated() { body(index, picture) }
      return
    }
    generator.pixels(latents: latents) { body($0, picture($1)) }
  }

  private func picture(_ pixels: [UInt8]) -> Picture {
    Picture(width: shape.side, height: shape.side, channels: shape.channels, pixels: pixels)
  }

  /// RGB samples of latents `[n, latent]`, picture after picture: `[n, side, side, 3]`.
  func frames(latents: [Float]) -> [UInt8] {
    // What the engine gives as it is, without a picture in between.
    if rule == .torchvision && shape.channels == 3 { return generator.pixels(latents: latents) }
    return pictures(latents: latents).flatMap { $0.converted(channels: 3).pixels }
  }

  /// Pictures of numbers `[n, channels, side, side]`; what the rule looks at is all of them.
  func pictures(planar: [Float]) -> [Picture] {
    Picture.pictures(
      planar: planar, channels: shape.channels, width: shape.side, height: shape.side, rule: rule)
  }
}
