// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "FacesInSwift",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "BollyGAN", path: "../..")],
  targets: [
    .executableTarget(
      name: "faces-in-swift",
      dependencies: [
        .product(name: "BollyGANModel", package: "BollyGAN"),
        .product(name: "BollyGANInfer", package: "BollyGAN"),
      ],
      path: "Sources")
  ]
)
