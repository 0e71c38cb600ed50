// swift-tools-version: 6.2
import PackageDescription

// Our side of the comparisons. A separate package, so that it uses only what any user of the
// libraries can use.
let package = Package(
  name: "Worker",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "BollyGAN", path: "../..")],
  targets: [
    .executableTarget(
      name: "Worker",
      dependencies: [
        .product(name: "BollyGANInfer", package: "BollyGAN"),
        .product(name: "BollyGANModel", package: "BollyGAN"),
        .product(name: "BollyGANTrain", package: "BollyGAN"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
