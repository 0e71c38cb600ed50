import BollyGANInfer
import BollyGANModel
import BollyGANPictures

/// Draws a grid of 64 faces: `swift run Faces ../../models/bollygan-64.safetensors faces.png`.
@main
struct Faces {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { fatalError("usage: Faces MODEL OUT.png") }

    let file = try SafetensorsFile(bytes: readFile(arguments[1], limit: 1 << 30))
    let generator = Generator(try GeneratorWeights(file))
    let shape = generator.shape

    let latents = Latents.torch(seed: 42, count: 64, size: shape.latent)
    let pixels = generator.pixels(latents: latents.values)

    let faces = stride(from: 0, to: pixels.count, by: shape.pictureCount).map {
      Picture(
        width: shape.side, height: shape.side, channels: shape.channels,
        pixels: Array(pixels[$0..<$0 + shape.pictureCount]))
    }
    try writeFile(grid(faces, columns: 8).encodePNG(), to: arguments[2])
  }
}
