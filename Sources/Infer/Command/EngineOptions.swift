import ArgumentParser
import BollyGANInfer
import BollyGANModel
import BollyGANPictures

// Options shared by the subcommands that run the engine.

extension PixelRule: ExpressibleByArgument {}

/// Options of the engine. Only the pixel rule changes the result.
struct EngineOptions: ParsableArguments {
  @OptionGroup var processor: ProcessorOptions

  @Option(
    help: ArgumentHelp(
      "Faces per call of the network. Does not change the result.", valueName: "n"))
  var batch: Int?

  @Option(name: .customLong("batchSize"), help: .hidden)
  var batchSize: Int?

  @Option(
    help: ArgumentHelp(
      "How the network's output x in -1...1 becomes pixels: torchvision is (x+1)/2*255+0.5, "
        + "stylegan is x*127.5+128, minmax stretches the range of each image or grid to 0...255.",
      valueName: "rule"))
  var pixelRule: PixelRule = .torchvision

  func validate() throws {
    if let batch = batch ?? batchSize, !(1...4096).contains(batch) {
      throw ValidationError("--batch must be 1 to 4096, not \(batch).")
    }
  }

  /// Faces per call: enough to keep the threads busy, few enough to show progress.
  var faces: Int { batch ?? batchSize ?? 64 }

  /// A generator with these options.
  func artist(_ weights: GeneratorWeights) -> Artist {
    Artist(generator: processor.generator(weights), rule: pixelRule)
  }
}

/// A generator whose images are `Picture` values, by a given pixel rule.
struct Artist: Sendable {
  let generator: Generator
  let rule: PixelRule

  var shape: DCGANShape { generator.shape }

  /// Draws the images of latents `[n, latent]`. The pixel rule is applied to each image separately.
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

  /// Draws the images of latents `[n, latent]`, and hands over each as soon as it is finished.
  ///
  /// - Parameter body: Receives an image and its index, on any thread, several at a time, and
  ///   almost in order.
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

  /// Draws the images of latents `[n, latent]` as RGB frames, `[n, side, side, 3]`.
  func frames(latents: [Float]) -> [UInt8] {
    // The engine's own output has this layout.
    if rule == .torchvision && shape.channels == 3 { return generator.pixels(latents: latents) }
    return pictures(latents: latents).flatMap { $0.converted(channels: 3).pixels }
  }

  /// Converts the network's output `[n, channels, side, side]`. The pixel rule is applied to all
  /// images together.
  func pictures(planar: [Float]) -> [Picture] {
    Picture.pictures(
      planar: planar, channels: shape.channels, width: shape.side, height: shape.side, rule: rule)
  }
}
