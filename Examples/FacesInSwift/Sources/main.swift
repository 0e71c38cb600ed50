// Draws one face from a program of your own, as a PPM picture:
//
//   swift run faces-in-swift ../../models/bollygan-64.safetensors 42 > face.ppm

import BollyGANInfer
import BollyGANModel
import Foundation

let arguments = CommandLine.arguments
guard arguments.count == 3, let seed = Int64(arguments[2]) else {
  fatalError("usage: faces-in-swift MODEL.safetensors SEED > face.ppm")
}

let file = try SafetensorsFile(bytes: readFile(arguments[1], limit: 1 << 30))
let generator = Generator(try GeneratorWeights(file))
let shape = generator.shape
let latents = Latents.torch(seed: seed, count: 1, size: shape.latent)
let pixels = generator.pixels(latents: latents.values)

// P6 is RGB, P5 gray.
let header = "P\(shape.channels == 3 ? 6 : 5)\n\(shape.side) \(shape.side)\n255\n"
try FileHandle.standardOutput.write(contentsOf: Data(header.utf8) + Data(pixels))
