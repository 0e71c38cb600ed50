// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Faces",
  platforms: [.macOS(.v15)],
  dependencies: [
    // Outside of this repository, name its URL and a version instead.
    .package(name: "BollyGAN", path: "../..")
  ],
  targets: [
    .executableTarget(
      name: "Faces",
      dependencies: [
        .product(name: "BollyGANInfer", package: "BollyGAN"),
        .product(name: "BollyGANModel", package: "BollyGAN"),
        .product(name: "BollyGANPictures", package: "BollyGAN"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
